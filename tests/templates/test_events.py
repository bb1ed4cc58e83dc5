"""Which events reach a person (A2, A14): EventBridge's patterns, matched as the EventBridge User Guide describes them (pages "Event patterns"
and "Comparison operators"); an operator that is not known here is an error."""

import re

import pytest

from test_templates import ROOT, load, resolve

ACCOUNT, REGION = "123456789012", "us-east-1"


def pattern(template, rule):
    document = load(ROOT / "templates" / template)
    return resolve(document["Resources"][rule]["Properties"]["EventPattern"], document)


def matches(wanted, event):
    for key, value in wanted.items():
        if key == "$or":
            if not any(matches(each, event) for each in value):
                return False
        elif isinstance(value, dict):
            if not matches(value, event.get(key) if isinstance(event.get(key), dict) else {}):
                return False
        elif not any(fits(each, event.get(key)) for each in value):
            return False
    return True


def fits(wanted, value):
    if isinstance(wanted, str):
        return wanted in value if isinstance(value, list) else value == wanted
    (operator, argument), = wanted.items()
    if operator == "exists":
        return (value is not None) == argument
    if operator == "prefix":
        return isinstance(value, str) and value.startswith(argument)
    if operator == "anything-but":
        (inner, prefixes), = argument.items()
        assert inner == "prefix"
        return isinstance(value, str) and not any(value.startswith(prefix) for prefix in prefixes)
    raise AssertionError(f"unknown operator {operator}")


def api_call(source, name, who="app", **parameters):
    issuer = {"sessionContext": {"sessionIssuer": {"userName": who}}} if who else {"type": "Root"}
    detail = {"eventSource": source, "eventName": name, "userIdentity": issuer, "requestParameters": parameters}
    return {"source": f"aws.{source.split('.')[0]}", "detail-type": "AWS API Call via CloudTrail", "detail": detail}


LOGGING_OFF = ("bedrock.amazonaws.com", "DeleteModelInvocationLoggingConfiguration")
BUCKET = f"logs-model-invocation-{ACCOUNT}-{REGION}"
GROUP = "/aws/bedrock/model-invocation-logs"


@pytest.mark.parametrize(
    ("event", "reported"),
    [
        (api_call(*LOGGING_OFF), True),
        # The root user and IAM users have no session issuer.
        (api_call(*LOGGING_OFF, who=None), True),
        # The rollout's own changes are no news.
        (api_call(*LOGGING_OFF, who="bedrail-deployer"), False),
        (api_call("logs.amazonaws.com", "PutRetentionPolicy", who="stacksets-exec-1a2b", logGroupName=GROUP), False),
        (api_call("logs.amazonaws.com", "PutRetentionPolicy", logGroupName=GROUP), True),
        (api_call("logs.amazonaws.com", "DeleteMetricFilter", logGroupName=GROUP), True),
        (api_call("logs.amazonaws.com", "PutRetentionPolicy", logGroupName="/app"), False),
        (api_call("s3.amazonaws.com", "DeleteBucketPolicy", bucketName=BUCKET), True),
        (api_call("s3.amazonaws.com", "DeleteBucketPolicy", bucketName="another"), False),
        (api_call("kms.amazonaws.com", "DeleteAlias", aliasName=f"alias/bedrail-bedrock-{REGION}"), True),
        (api_call("bedrock.amazonaws.com", "InvokeModel"), False),
    ],
)
def test_tampering_with_logging_is_reported_and_the_rollout_itself_is_not(event, reported):
    assert matches(pattern("members/invocation-logging.yaml", "TamperingRule"), event) is reported


def alarm_state(name, state, before):
    detail = {"alarmName": name, "state": {"value": state}, "previousState": {"value": before}}
    return {"source": "aws.cloudwatch", "detail-type": "CloudWatch Alarm State Change", "detail": detail}


@pytest.mark.parametrize(
    ("event", "reported"),
    [
        (alarm_state("bedrail-throttles", "ALARM", "OK"), True),
        (alarm_state("bedrail-throttles", "OK", "ALARM"), True),
        # Every new alarm begins so.
        (alarm_state("bedrail-throttles", "OK", "INSUFFICIENT_DATA"), False),
        (alarm_state("somebody-elses", "ALARM", "OK"), False),
    ],
)
def test_alarms_of_the_rollout_are_reported_when_they_go_off_and_when_they_end(event, reported):
    assert matches(pattern("members/alarms.yaml", "AlarmStates"), event) is reported


def compliance(rule, result):
    detail = {"configRuleName": rule, "newEvaluationResult": {"complianceType": result}}
    return {"source": "aws.config", "detail-type": "Config Rules Compliance Change", "detail": detail}


@pytest.mark.parametrize(
    ("event", "reported"),
    [
        (compliance("bedrail-invocation-logging", "NON_COMPLIANT"), True),
        (compliance("bedrail-invocation-logging", "COMPLIANT"), False),
        (compliance("somebody-elses", "NON_COMPLIANT"), False),
    ],
)
def test_broken_rules_of_the_rollout_are_reported(event, reported):
    assert matches(pattern("members/compliance-rules.yaml", "BrokenRules"), event) is reported


@pytest.mark.parametrize(
    "event",
    [api_call(*LOGGING_OFF), alarm_state("bedrail-throttles", "ALARM", "OK"), compliance("bedrail-invocation-logging", "NON_COMPLIANT")],
    ids=lambda event: event["detail-type"],
)
def test_whatever_members_report_the_hub_publishes(event):
    assert matches(pattern("hub/central-monitoring.yaml", "GovernanceEventRule"), event)
    rule = load(ROOT / "templates" / "hub" / "central-monitoring.yaml")["Resources"]["GovernanceEventRule"]["Properties"]
    assert [target["Arn"] for target in rule["Targets"]] == [{"Ref": "AlertTopic"}]


@pytest.mark.parametrize(
    ("event", "reported"),
    [
        (api_call("organizations.amazonaws.com", "DetachPolicy"), True),
        (api_call("organizations.amazonaws.com", "UpdatePolicy"), True),
        (api_call("organizations.amazonaws.com", "DescribePolicy"), False),
    ],
)
def test_changes_to_organization_policies_are_reported_from_the_management_account(event, reported):
    rules = [r for r in load(ROOT / "templates" / "management" / "policy-events.yaml")["Resources"].items() if r[1]["Type"] == "AWS::Events::Rule"]
    (name, _), = rules
    assert matches(pattern("management/policy-events.yaml", name), event) is reported


@pytest.mark.parametrize("name", ["alarms", "compliance-rules", "invocation-logging"])
def test_each_role_that_reports_to_the_hub_has_a_name_that_the_hubs_bus_admits(name):
    bus = load(ROOT / "templates" / "hub" / "central-monitoring.yaml")["Resources"]["EventBusPolicy"]["Properties"]["Statement"]
    admitted = bus["Condition"]["ArnLike"]["aws:PrincipalArn"]["Fn::Sub"].rsplit("/", 1)[1].removesuffix("*")
    text = (ROOT / "templates" / "members" / f"{name}.yaml").read_text(encoding="utf-8")
    roles = [role for role in re.findall(r"RoleName: !Sub ([\w-]+)", text) if "event" in role]
    assert roles and all(role.startswith(admitted) for role in roles), roles
