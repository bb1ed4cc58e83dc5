"""After the first apply: everything that is declared is there, in every account and Region."""

import json

import pytest
from conftest import ENVIRONMENTS, REGIONS


def policies_of(world, component):
    return [p for p in world.policies().values() if p["component"] == component]


@pytest.mark.parametrize("component", ["approved-models", "protect-invocation-logging"])
def test_each_environment_has_its_policy_on_its_unit(world, component):
    attached = sorted(target for policy in policies_of(world, component) for target in policy["targets"])
    assert attached == sorted(world.seed["units"][unit] for unit in ENVIRONMENTS.values())


def test_policies_have_descriptions_and_no_white_space_to_pay_for(world):
    assert world.policies()
    for name, policy in world.policies().items():
        assert policy["description"], name
        minified = json.dumps(json.loads(policy["content"]), separators=(",", ":"))
        assert len(policy["content"]) == len(minified), name


def test_policies_carry_the_models_of_their_environment(world):
    by_unit = {policy["targets"][0]: json.loads(policy["content"]) for policy in policies_of(world, "approved-models")}

    def resources(unit):
        statements = by_unit[world.seed["units"][unit]]["Statement"]
        return next(s for s in statements if s["Sid"] == "OnlyApprovedModels")["NotResource"]

    assert "arn:aws:bedrock:*::foundation-model/amazon.*" in resources("Workloads/Dev")
    assert "arn:aws:bedrock:*::foundation-model/amazon.*" not in resources("Workloads/Prod")
    assert "arn:aws:bedrock:*::foundation-model/amazon.nova-lite-*" in resources("Workloads/Prod")
    assert "arn:aws:bedrock:*:*:inference-profile/eu.anthropic.claude-sonnet-4-*" in resources("Workloads/Staging")


def test_full_access_stays_attached(world):
    organizations = world.client("organizations")
    for unit in ENVIRONMENTS.values():
        attached = organizations.list_policies_for_target(
            TargetId=world.seed["units"][unit], Filter="SERVICE_CONTROL_POLICY"
        )["Policies"]
        assert "p-FullAWSAccess" in [p["Id"] for p in attached]


def test_one_service_managed_stack_set_per_environment(world):
    stack_sets = world.stack_sets()
    assert sorted(stack_sets) == sorted(f"bedrail-reduced-invocation-logging-{e}" for e in ENVIRONMENTS)
    for name, stack_set in stack_sets.items():
        assert stack_set["PermissionModel"] == "SERVICE_MANAGED", name
        tags = {t["Key"]: t["Value"] for t in stack_set["Tags"]}
        assert tags["bedrail:rollout"] == "reduced"
        assert tags["bedrail:component"] == "invocation-logging"
        assert tags["application"] == "bedrock-governance"


@pytest.mark.parametrize(("environment", "days"), [("dev", "30"), ("staging", "180"), ("prod", "2557")])
def test_stack_sets_carry_the_values_of_their_environment(world, environment, days):
    stack_set = world.stack_sets()[f"bedrail-reduced-invocation-logging-{environment}"]
    parameters = {p["ParameterKey"]: p["ParameterValue"] for p in stack_set["Parameters"]}
    assert parameters["LogRetentionDays"] == days
    assert parameters["LogGroupName"] == "/aws/bedrock/model-invocation-logs"


@pytest.mark.parametrize("environment", list(ENVIRONMENTS))
def test_instances_are_in_every_account_and_region_of_the_environment(world, environment):
    instances = world.client("cloudformation").list_stack_instances(
        StackSetName=f"bedrail-reduced-invocation-logging-{environment}"
    )["Summaries"]
    assert sorted((i["Account"], i["Region"]) for i in instances) == sorted(
        (account, region) for account in world.accounts_of(environment) for region in REGIONS
    )
    assert {i["Status"] for i in instances} == {"CURRENT"}


@pytest.mark.parametrize("region", REGIONS)
def test_members_have_key_bucket_log_group_and_role(world, region):
    for account in world.members():
        kms = world.client("kms", account, region)
        key = kms.describe_key(KeyId=f"alias/bedrail-bedrock-{region}")["KeyMetadata"]
        assert key["KeyState"] == "Enabled"
        assert kms.get_key_rotation_status(KeyId=key["KeyId"])["KeyRotationEnabled"]

        bucket = f"logs-model-invocation-{account}-{region}"
        encryption = world.client("s3", account, region).get_bucket_encryption(Bucket=bucket)
        rule = encryption["ServerSideEncryptionConfiguration"]["Rules"][0]["ApplyServerSideEncryptionByDefault"]
        assert rule == {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key["Arn"]}

        groups = world.client("logs", account, region).describe_log_groups()["logGroups"]
        assert [g["logGroupName"] for g in groups] == ["/aws/bedrock/model-invocation-logs"]

        role = world.client("iam", account, region).get_role(RoleName=f"bedrail-bedrock-logging-{region}")["Role"]
        principal = role["AssumeRolePolicyDocument"]["Statement"][0]["Principal"]
        assert principal == {"Service": "bedrock.amazonaws.com"}


@pytest.mark.parametrize(("environment", "days"), [("dev", 30), ("staging", 180), ("prod", 2557)])
def test_log_groups_keep_records_as_long_as_their_environment_says(world, environment, days):
    for account in world.accounts_of(environment):
        for region in REGIONS:
            groups = world.client("logs", account, region).describe_log_groups()["logGroups"]
            assert [g["retentionInDays"] for g in groups] == [days]


@pytest.mark.parametrize("region", REGIONS)
def test_invocation_logging_is_on_in_every_member(world, region):
    for account in world.members():
        answer = world.client("bedrock", account, region).get_model_invocation_logging_configuration()
        bucket = {"bucketName": f"logs-model-invocation-{account}-{region}", "keyPrefix": "bedrock"}
        assert answer["loggingConfig"] == {
            "s3Config": bucket,
            "cloudWatchConfig": {
                "logGroupName": "/aws/bedrock/model-invocation-logs",
                "roleArn": f"arn:aws:iam::{account}:role/bedrail-bedrock-logging-{region}",
                "largeDataDeliveryS3Config": bucket,
            },
            "textDataDeliveryEnabled": True,
            "imageDataDeliveryEnabled": True,
            "embeddingDataDeliveryEnabled": True,
            "videoDataDeliveryEnabled": True,
            "audioDataDeliveryEnabled": True,
        }


def test_nothing_is_done_where_nothing_is_declared(world):
    untouched = [
        world.seed["managementAccount"],
        world.seed["accounts"]["break-glass"],
        world.seed["accounts"]["ai-hub"],
    ]
    for account in untouched:
        for region in REGIONS:
            answer = world.client("bedrock", account, region).get_model_invocation_logging_configuration()
            assert not answer.get("loggingConfig")


def test_the_hub_has_its_stack(world):
    hub = world.seed["accounts"]["ai-hub"]
    stacks = world.client("cloudformation", hub).describe_stacks()["Stacks"]
    assert [s["StackStatus"] for s in stacks] == ["CREATE_COMPLETE"]
    tags = {t["Key"]: t["Value"] for t in stacks[0]["Tags"]}
    assert tags["bedrail:rollout"] == "reduced"
    assert tags["bedrail:component"] == "central-archive"
    tagging = world.client("s3", hub).get_bucket_tagging(Bucket=f"central-logs-{hub}-us-east-1")
    assert {"Key": "organization", "Value": world.seed["organization"]} in tagging["TagSet"]
