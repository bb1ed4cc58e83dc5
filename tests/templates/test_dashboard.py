"""The hub's dashboard shows each figure by account, by model and by identity (A4, A11), from metrics that somebody makes and shares."""

import json
import re

import pytest

from test_templates import ROOT, load

HUB = load(ROOT / "templates" / "hub" / "central-monitoring.yaml")
MEMBER = load(ROOT / "templates" / "members" / "invocation-logging.yaml")

FIGURES = ["Input tokens", "Output tokens", "Latency", "Errors", "Throttles", "Guardrail interventions"]
BY = {"account": "AWS.AccountId", "model": "ModelId", "identity": "Identity"}
QUERY = re.compile(r'SELECT (SUM|AVG)\((\w+)\) FROM SCHEMA\("([^"]+)", ([\w, ]+)\) GROUP BY ([\w.]+) ORDER BY \1\(\) DESC LIMIT \d+')

# What AWS publishes (Amazon Bedrock User Guide, pages "Monitoring the performance of Amazon Bedrock" and "Monitor Amazon Bedrock Guardrails
# using CloudWatch metrics"): metrics that have exactly this dimension.
PUBLISHED = {
    ("AWS/Bedrock", "ModelId"): {
        "InputTokenCount", "InvocationClientErrors", "InvocationLatency", "InvocationServerErrors", "InvocationThrottles", "Invocations",
        "OutputTokenCount",
    },
    ("AWS/Bedrock/Guardrails", "Operation"): {"InvocationsIntervened"},
}


def widgets():
    body = HUB["Resources"]["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
    return json.loads(re.sub(r"\$\{[^}]+\}", "us-east-1", body))["widgets"]


def queries(widget):
    for metric in widget["properties"]["metrics"]:
        if isinstance(metric[0], dict):
            parsed = QUERY.fullmatch(metric[0]["expression"])
            assert parsed, metric
            yield parsed.groups()


def filters():
    """Metric filters of members, by the metric that they make."""
    for resource in MEMBER["Resources"].values():
        if resource["Type"] == "AWS::Logs::MetricFilter":
            properties = resource["Properties"]
            transformation, = properties["MetricTransformations"]
            yield transformation["MetricName"], (properties, transformation)


@pytest.mark.parametrize("by", BY)
@pytest.mark.parametrize("figure", FIGURES)
def test_each_figure_is_shown_by_account_by_model_and_by_identity(figure, by):
    widget, = [w for w in widgets() if w["properties"]["title"].startswith(figure) and w["properties"]["title"].endswith(f"by {by}")]
    found = list(queries(widget))
    assert found and all(grouped == BY[by] for _, _, _, _, grouped in found)


def test_every_metric_that_is_asked_for_is_made_with_the_dimensions_that_the_query_names():
    made = dict(filters())
    for widget in widgets():
        for _, metric, namespace, dimensions, grouped in queries(widget):
            assert grouped == "AWS.AccountId" or grouped in dimensions.split(", ")
            if namespace == "Bedrail/Invocations":
                _, transformation = made[metric]
                assert transformation["MetricNamespace"] == namespace
                assert [d["Key"] for d in transformation["Dimensions"]] == dimensions.split(", ")
            else:
                assert metric in PUBLISHED[namespace, dimensions]


def test_widgets_do_not_lie_on_each_other():
    taken = [(x, y) for w in widgets() for x in range(w["x"], w["x"] + w["width"]) for y in range(w["y"], w["y"] + w["height"])]
    assert len(taken) == len(set(taken))
    assert all(w["x"] + w["width"] <= 24 for w in widgets())


def test_metrics_leave_an_account_and_log_groups_do_not():
    link = load(ROOT / "templates" / "members" / "metrics-link.yaml")["Resources"]["Link"]["Properties"]
    assert link["ResourceTypes"] == ["AWS::CloudWatch::Metric"]
    statement, = HUB["Resources"]["Sink"]["Properties"]["Policy"]["Statement"]
    assert statement["Condition"]["ForAllValues:StringEquals"] == {"oam:ResourceTypes": "AWS::CloudWatch::Metric"}


def test_only_figures_that_the_shortened_copy_lacks_are_counted_by_session():
    for metric, (properties, transformation) in filters():
        identity, model = (d["Value"] for d in transformation["Dimensions"])
        in_a_body = "BodyJson" in properties["FilterPattern"]
        assert properties.get("ApplyOnTransformedLogs", False) == (not in_a_body), metric
        assert identity == ("$.identity.arn" if in_a_body else "$.identity.role"), metric
        assert model == "$.modelId"
        # CloudWatch Logs takes three dimensions, and no default value beside them.
        assert len(transformation["Dimensions"]) <= 3 and "DefaultValue" not in transformation


@pytest.mark.parametrize(
    ("arn", "role"),
    [
        ("arn:aws:sts::111122223333:assumed-role/app/i-0123456789abcdef0", "arn:aws:sts::111122223333:assumed-role/app"),
        ("arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_x_1/me@example.com", "arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_x_1"),
        ("arn:aws-us-gov:sts::111122223333:assumed-role/app/botocore-session-1", "arn:aws-us-gov:sts::111122223333:assumed-role/app"),
        ("arn:aws:iam::111122223333:user/somebody", "arn:aws:iam::111122223333:user/somebody"),
        ("arn:aws:iam::111122223333:root", "arn:aws:iam::111122223333:root"),
    ],
)
def test_sessions_of_a_role_are_added_up_and_other_identities_stay_as_they_are(arn, role):
    steps = MEMBER["Resources"]["MetadataOnly"]["Properties"]["TransformerConfig"]
    copy, = steps[1]["CopyValue"]["Entries"]
    replace, = steps[2]["SubstituteString"]["Entries"]
    assert (copy["Source"], copy["Target"], replace["Source"]) == ("identity.arn", "identity.role", "identity.role")
    # Limits of CloudWatch Logs for this processor.
    assert len(replace["From"]) <= 128 and len(replace["To"]) <= 128
    assert re.sub(replace["From"], replace["To"].replace("$", "\\"), arn) == role


def test_the_copy_that_is_forwarded_has_no_bodies():
    steps = MEMBER["Resources"]["MetadataOnly"]["Properties"]["TransformerConfig"]
    assert steps[-1]["DeleteKeys"]["WithKeys"] == ["input.inputBodyJson", "output.outputBodyJson"]
    copied = [entry["Source"] for step in steps for entry in step.get("CopyValue", {}).get("Entries", [])]
    assert not [source for source in copied if "Body" in source]
