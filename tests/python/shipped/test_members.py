"""Every member holds what the shipped rollout deploys: as an auditor would look, by role and with boto3."""

import json

import pytest

REGIONS = ["us-east-1", "eu-west-1"]
# Of each environment one; the role that every created account has is the way in.
MEMBERS = {"dev-1": 30, "staging-2": 180, "prod-3": 2557}
GROUP = "/aws/bedrock/model-invocation-logs"

every_place = pytest.mark.parametrize(("member", "region"), [(m, r) for m in MEMBERS for r in REGIONS])


def statements(document):
    return {statement["Sid"]: statement for statement in json.loads(document)["Statement"]}


@every_place
def test_its_stacks_are_complete(aws, member, region):
    stacks = aws.client("cloudformation", member, region).describe_stacks()["Stacks"]
    ours = [s for s in stacks if "invocation-logging" in s["StackName"]]
    assert len(ours) == 1
    assert ours[0]["StackStatus"] in ("CREATE_COMPLETE", "UPDATE_COMPLETE")
    assert {"Key": "application", "Value": "bedrock-governance"} in ours[0]["Tags"]


@every_place
def test_its_key_rotates_and_serves_bedrock_and_logs(aws, member, region):
    kms = aws.client("kms", member, region)
    key = kms.describe_key(KeyId=f"alias/bedrail-bedrock-{region}")["KeyMetadata"]
    assert key["KeyState"] == "Enabled"
    rotation = kms.get_key_rotation_status(KeyId=key["KeyId"])
    assert (rotation["KeyRotationEnabled"], rotation["RotationPeriodInDays"]) == (True, 365)
    held = statements(kms.get_key_policy(KeyId=key["KeyId"], PolicyName="default")["Policy"])
    assert held["BedrockWritesLogs"]["Principal"] == {"Service": "bedrock.amazonaws.com"}
    assert held["CloudWatchLogsEncryptsTheLogGroup"]["Principal"] == {"Service": f"logs.{region}.amazonaws.com"}


@every_place
def test_its_bucket_is_closed_encrypted_and_lets_bedrock_write(aws, member, region):
    s3 = aws.client("s3", member, region)
    account = aws.accounts[member]
    bucket = f"logs-model-invocation-{account}-{region}"
    assert all(s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"].values())
    assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
    rule = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"][0]
    assert rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms"
    held = statements(s3.get_bucket_policy(Bucket=bucket)["Policy"])
    write = held["AmazonBedrockLogsWrite"]
    assert write["Condition"]["StringEquals"] == {"aws:SourceAccount": account}
    assert f"arn:aws:s3:::{bucket}/bedrock/AWSLogs/{account}/BedrockModelInvocationLogs/*" in write["Resource"]
    assert held["OnlyOverTls"]["Effect"] == "Deny"


@every_place
def test_its_log_group_keeps_as_long_as_its_environment_says(aws, member, region):
    groups = aws.client("logs", member, region).describe_log_groups(logGroupNamePrefix=GROUP)["logGroups"]
    assert [g["retentionInDays"] for g in groups] == [MEMBERS[member]]
    assert groups[0]["kmsKeyId"].startswith(f"arn:aws:kms:{region}:")


@every_place
def test_its_invocations_are_logged_to_both(aws, member, region):
    account = aws.accounts[member]
    held = aws.client("bedrock", member, region).get_model_invocation_logging_configuration()["loggingConfig"]
    bucket = {"bucketName": f"logs-model-invocation-{account}-{region}", "keyPrefix": "bedrock"}
    assert held["s3Config"] == bucket
    assert held["cloudWatchConfig"] == {
        "logGroupName": GROUP,
        "roleArn": f"arn:aws:iam::{account}:role/bedrail-bedrock-logging-{region}",
        "largeDataDeliveryS3Config": bucket,
    }
    assert [held[f"{kind}DataDeliveryEnabled"] for kind in ("text", "image", "embedding", "video", "audio")] == [True] * 5


@pytest.mark.parametrize("account", ["ai-operations", "network", "break-glass"])
def test_nothing_is_logged_where_nothing_is_to_be_kept(aws, account):
    for region in REGIONS:
        assert not aws.client("bedrock", account, region).get_model_invocation_logging_configuration().get("loggingConfig")


@pytest.mark.parametrize("unit", ["Workloads/Dev", "Workloads/Staging", "Workloads/Prod"])
def test_each_unit_has_its_policies(aws, unit):
    organizations = aws.client("organizations")
    attached = organizations.list_policies_for_target(TargetId=aws.units[unit], Filter="SERVICE_CONTROL_POLICY")["Policies"]
    components = []
    for policy in attached:
        tags = organizations.list_tags_for_resource(ResourceId=policy["Id"])["Tags"] if not policy["AwsManaged"] else []
        components += [t["Value"] for t in tags if t["Key"] == "bedrail:component"]
    everywhere = {"approved-models", "deny-long-lived-api-keys", "protect-invocation-logging"}
    strict = {"deny-global-inference", "require-guardrail"}
    assert set(components) == (everywhere if unit.endswith("Dev") else everywhere | strict)
    assert len(components) == len(set(components))
    # AWS allows ten, FullAWSAccess included; a policy that is replaced stands beside its successor for a while.
    assert len(attached) <= 10 - 2


def test_the_hub_has_a_stack_in_each_region(aws):
    for region in REGIONS:
        stacks = aws.client("cloudformation", "ai-hub", region).describe_stacks()["Stacks"]
        ours = next(s for s in stacks if s["StackName"].endswith("central-monitoring"))
        assert ours["StackStatus"] == "CREATE_COMPLETE"
        assert ours["EnableTerminationProtection"]
        assert "LogDestinationArn" in {o["OutputKey"] for o in ours["Outputs"]}
