"""Mistakes that published recipes make, each looked for in everything that is shipped."""

import json
import re

import pytest

from test_templates import ENVIRONMENTS, POLICIES, ROOT, TEMPLATES, load, name_of, rendered

# Every condition key of Bedrock and of its OpenAI- and Anthropic-style endpoint (Service Authorization Reference).
BEDROCK_KEYS = {
    "bedrock:BearerTokenType", "bedrock:GuardrailIdentifier", "bedrock:InferenceProfileArn", "bedrock:PromptRouterArn", "bedrock:ServiceTier",
    "bedrock-mantle:BearerTokenType", "bedrock-mantle:Model",
}
# Operations of the API that are no IAM actions: a Deny on them denies nothing.
NOT_ACTIONS = {"bedrock:Converse", "bedrock:ConverseStream", "bedrock:StartAsyncInvoke"}


def everything():
    return {name_of(path): load(path) for path in TEMPLATES}


def resources(kind):
    for file, template in everything().items():
        for name, resource in template["Resources"].items():
            if resource["Type"] == kind:
                yield f"{file} {name}", resource["Properties"], template


def statements(value):
    if isinstance(value, dict):
        if "Effect" in value:
            yield value
        for item in value.values():
            yield from statements(item)
    elif isinstance(value, list):
        for item in value:
            yield from statements(item)


def all_statements():
    for file, template in everything().items():
        for statement in statements(template["Resources"]):
            yield file, statement
    for path in POLICIES:
        for statement in rendered(path, "prod")["Statement"]:
            yield name_of(path), statement


def listed(value):
    return value if isinstance(value, list) else [value]


def test_every_condition_key_of_bedrock_exists():
    for file, statement in all_statements():
        for keys in statement.get("Condition", {}).values():
            used = {key for key in keys if key.startswith(("bedrock:", "bedrock-mantle:"))}
            assert used <= BEDROCK_KEYS, f"{file}: {used - BEDROCK_KEYS}"


def test_operations_that_are_no_actions_stand_in_no_policy():
    for file, statement in all_statements():
        assert not set(listed(statement.get("Action", []))) & NOT_ACTIONS, file


def test_who_invokes_may_or_may_not_do_so_with_streaming_alike():
    pair = {"bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream"}
    for file, statement in all_statements():
        named = set(listed(statement.get("Action", []))) & pair
        assert named in (set(), pair), f"{file} {statement.get('Sid')}"


def test_no_denial_takes_every_action_of_bedrock():
    for file, statement in all_statements():
        if statement["Effect"] == "Deny":
            assert not {"*", "bedrock:*"} & set(listed(statement.get("Action", []))), file


def test_no_condition_on_several_values_is_true_for_want_of_the_key():
    """ForAllValues holds when the key is missing: an Allow would be wide open, a Deny would hit everybody."""
    for file, statement in all_statements():
        for operator, keys in statement.get("Condition", {}).items():
            if operator.startswith("ForAllValues:"):
                null = statement["Condition"].get("Null", {})
                assert all(null.get(key) == "false" for key in keys), f"{file} {statement.get('Sid')}"


def test_a_logs_destination_points_to_a_stream_with_a_role_and_a_policy_for_the_organization():
    (name, properties, template), = resources("AWS::Logs::Destination")
    assert template["Resources"][properties["TargetArn"]["Fn::GetAtt"][0]]["Type"] == "AWS::KinesisFirehose::DeliveryStream", name
    assert properties["RoleArn"]
    policy = json.loads(re.sub(r"\$\{[^}]+\}", "x", properties["DestinationPolicy"]["Fn::Sub"]))
    statement, = policy["Statement"]
    assert statement["Condition"]["StringEquals"]["aws:PrincipalOrgID"]


def test_every_subscription_filter_has_a_role_since_the_destination_is_open_to_an_organization():
    filters = list(resources("AWS::Logs::SubscriptionFilter"))
    assert filters
    for name, properties, _ in filters:
        assert properties["RoleArn"], name


def test_arns_of_log_groups_are_written_out_where_something_is_appended():
    """GetAtt of a log group's Arn ends in ":*"; with more behind it, it matches nothing."""
    for path in TEMPLATES:
        template, text = load(path), path.read_text(encoding="utf-8")
        groups = [name for name, resource in template["Resources"].items() if resource["Type"] == "AWS::Logs::LogGroup"]
        for group in groups:
            assert f"${{{group}.Arn}}:" not in text, name_of(path)


def test_guardrails_say_what_is_blocked_and_prompt_attacks_are_looked_for_in_prompts_only():
    (name, properties, _), = resources("AWS::Bedrock::Guardrail")
    assert properties["BlockedInputMessaging"] and properties["BlockedOutputsMessaging"], name
    attack, = [f for f in properties["ContentPolicyConfig"]["FiltersConfig"] if f["Type"] == "PROMPT_ATTACK"]
    assert attack["OutputStrength"] == "NONE"
    kinds = {entity["Type"] for entity in properties["SensitiveInformationPolicyConfig"]["PiiEntitiesConfig"]}
    assert "US_SOCIAL_SECURITY_NUMBER" in kinds and "SSN" not in kinds


def test_a_new_version_of_the_guardrail_is_published_whenever_a_setting_changes():
    (_, guardrail, template), = resources("AWS::Bedrock::Guardrail")
    (_, version, _), = resources("AWS::Bedrock::GuardrailVersion")
    settings = {name for name in template["Parameters"] if f"'Ref': '{name}'" in str(guardrail)} - {"BlockedInputMessage", "BlockedOutputMessage"}
    named = set(re.findall(r"\$\{(\w+)\}", version["Description"]["Fn::Sub"]))
    assert settings | {"Revision"} == named


def test_principals_may_apply_the_guardrail_before_it_is_enforced():
    (_, _, template), = resources("AWS::Bedrock::EnforcedGuardrailConfiguration")
    enforced = template["Resources"]["EnforcedGuardrail"]
    assert template["Resources"][enforced["DependsOn"]]["Type"] == "AWS::Bedrock::ResourcePolicy"


def test_topics_are_encrypted_with_a_key_that_admits_those_who_publish():
    (_, topic, template), = resources("AWS::SNS::Topic")
    key = template["Resources"][topic["KmsMasterKeyId"]["Ref"]]["Properties"]
    admitted = {s["Principal"].get("Service") for s in key["KeyPolicy"]["Statement"]}
    assert {"cloudwatch.amazonaws.com", "events.amazonaws.com"} <= admitted


def test_budgets_look_at_models_of_third_parties_too():
    (_, budget, template), = resources("AWS::Budgets::Budget")
    assert budget["Budget"]["FilterExpression"]["Dimensions"]["Values"] == {"Ref": "BilledServices"}
    assert "(Amazon Bedrock Edition)" in template["Parameters"]["BilledServices"]["Default"]


def test_buckets_for_access_logs_use_the_encryption_that_s3_can_deliver_to():
    buckets = {name: (properties, template) for name, properties, template in resources("AWS::S3::Bucket")}
    for name, (properties, template) in buckets.items():
        if "LoggingConfiguration" in properties:
            target = template["Resources"][properties["LoggingConfiguration"]["DestinationBucketName"]["Ref"]]["Properties"]
            rule, = target["BucketEncryption"]["ServerSideEncryptionConfiguration"]
            assert rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256", name
            own, = properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]
            assert own["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms", name


def test_external_ids_are_long_secret_and_nobodys_account_number():
    for file, template in everything().items():
        for name, parameter in template.get("Parameters", {}).items():
            if "ExternalId" in name:
                assert parameter["NoEcho"] is True and parameter["Default"] == "", file
                assert not re.match(parameter["AllowedPattern"], "111122223333"), file
                assert re.match(parameter["AllowedPattern"], "k3j4h5g6f7d8s9a0"), file


@pytest.mark.parametrize("path", [*TEMPLATES, *POLICIES, *ENVIRONMENTS, ROOT / "rollout.yaml"], ids=name_of)
def test_there_are_no_placeholders_and_no_garbled_characters(path):
    text = path.read_text(encoding="utf-8")
    assert text.isascii() or not re.search("[\u00c3\u00e2][\u0080-\u20ac]", text)
    values = "\n".join(line.split("#", 1)[0] for line in text.splitlines())
    assert not re.search(r"ACCOUNT[-_]ID|SECURITY-HUB|arn:aws:\w+:region:|YOUR[-_ ]", values)


def test_prompts_and_completions_stay_where_they_are_unless_an_environment_says_otherwise():
    parameter = load(ROOT / "templates" / "members" / "invocation-logging.yaml")["Parameters"]["ForwardToHub"]
    assert parameter["Default"] == "metadata"
    for path in ENVIRONMENTS:
        assert "ForwardToHub: full" not in path.read_text(encoding="utf-8"), name_of(path)
