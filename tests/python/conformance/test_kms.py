"""KMS: keys, their policies, aliases and rotation."""

import json

import pytest
from worlds import error, moto_deviates

API = "https://docs.aws.amazon.com/kms/latest/APIReference/"


def policy(account, *statements):
    administration = {
        "Sid": "Administration",
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{account}:root"},
        "Action": "kms:*",
        "Resource": "*",
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [administration, *statements]})


@pytest.fixture
def kms(aws):
    return aws.client("kms", "dev-1")


@pytest.fixture
def key(aws, kms):
    made = kms.create_key(Description="conformance", Policy=policy(aws.accounts["dev-1"]))["KeyMetadata"]["KeyId"]
    yield made
    kms.schedule_key_deletion(KeyId=made, PendingWindowInDays=7)


def test_a_new_key_is_enabled_and_symmetric(aws, kms, key):
    metadata = kms.describe_key(KeyId=key)["KeyMetadata"]
    assert metadata["KeyState"] == "Enabled"
    assert metadata["Enabled"]
    assert metadata["KeyManager"] == "CUSTOMER"
    assert metadata["KeySpec"] == "SYMMETRIC_DEFAULT"
    assert metadata["Arn"] == f"arn:aws:kms:us-east-1:{aws.accounts['dev-1']}:key/{key}"


@moto_deviates("it has no usage unless one was asked for", decides=API + "API_CreateKey.html")
def test_a_new_key_is_for_encryption(kms, key):
    assert kms.describe_key(KeyId=key)["KeyMetadata"]["KeyUsage"] == "ENCRYPT_DECRYPT"


def test_a_key_is_found_by_id_arn_alias_and_alias_arn(aws, kms, key):
    alias = f"alias/{aws.unique('conformance')}"
    kms.create_alias(AliasName=alias, TargetKeyId=key)
    arn = kms.describe_key(KeyId=key)["KeyMetadata"]["Arn"]
    for name in (key, arn, alias, f"arn:aws:kms:us-east-1:{aws.accounts['dev-1']}:{alias}"):
        assert kms.describe_key(KeyId=name)["KeyMetadata"]["KeyId"] == key
    listed = [a["AliasName"] for a in kms.list_aliases(KeyId=key)["Aliases"]]
    assert listed == [alias]
    assert error(kms.create_alias, AliasName=alias, TargetKeyId=key) == "AlreadyExistsException"
    kms.delete_alias(AliasName=alias)
    assert error(kms.describe_key, KeyId=alias) == "NotFoundException"


def test_policies_and_rotation_are_asked_for_by_key_and_not_by_alias(aws, kms, key):
    alias = f"alias/{aws.unique('conformance')}"
    kms.create_alias(AliasName=alias, TargetKeyId=key)
    assert error(kms.get_key_rotation_status, KeyId=alias) == "NotFoundException"
    assert error(kms.get_key_policy, KeyId=alias, PolicyName="default") == "NotFoundException"
    kms.delete_alias(AliasName=alias)


def test_keys_are_of_one_region(aws, key):
    elsewhere = aws.client("kms", "dev-1", region="eu-west-1")
    assert error(elsewhere.describe_key, KeyId=key) == "NotFoundException"


def test_keys_are_of_one_account(aws, key):
    assert error(aws.client("kms", "dev-3").describe_key, KeyId=key) == "NotFoundException"


def test_rotation_is_off_until_it_is_on(kms, key):
    assert not kms.get_key_rotation_status(KeyId=key)["KeyRotationEnabled"]
    kms.enable_key_rotation(KeyId=key)
    assert kms.get_key_rotation_status(KeyId=key)["KeyRotationEnabled"]
    kms.disable_key_rotation(KeyId=key)
    assert not kms.get_key_rotation_status(KeyId=key)["KeyRotationEnabled"]


@moto_deviates("the period is not held", decides=API + "API_EnableKeyRotation.html")
def test_rotation_has_a_period(kms, key):
    kms.enable_key_rotation(KeyId=key)
    assert kms.get_key_rotation_status(KeyId=key)["RotationPeriodInDays"] == 365
    kms.enable_key_rotation(KeyId=key, RotationPeriodInDays=180)
    assert kms.get_key_rotation_status(KeyId=key)["RotationPeriodInDays"] == 180


def test_a_policy_is_read_as_it_was_put(aws, kms, key):
    logs = {
        "Sid": "Logs",
        "Effect": "Allow",
        "Principal": {"Service": "logs.us-east-1.amazonaws.com"},
        "Action": ["kms:Encrypt", "kms:Decrypt"],
        "Resource": "*",
    }
    wanted = policy(aws.accounts["dev-1"], logs)
    kms.put_key_policy(KeyId=key, PolicyName="default", Policy=wanted)
    assert json.loads(kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"]) == json.loads(wanted)
    assert kms.list_key_policies(KeyId=key)["PolicyNames"] == ["default"]


@moto_deviates("any policy is taken", decides=API + "API_PutKeyPolicy.html")
def test_a_policy_that_would_lock_everybody_out_is_refused(aws, kms, key):
    nobody = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "bedrock.amazonaws.com"}, "Action": "kms:GenerateDataKey", "Resource": "*"}
        ],
    }
    call = kms.put_key_policy
    assert error(call, KeyId=key, PolicyName="default", Policy=json.dumps(nobody)) == "MalformedPolicyDocumentException"
    assert error(kms.create_key, Policy=json.dumps(nobody)) == "MalformedPolicyDocumentException"


def test_a_key_is_disabled_and_enabled(kms, key):
    kms.disable_key(KeyId=key)
    assert kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "Disabled"
    kms.enable_key(KeyId=key)
    assert kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "Enabled"


def test_deletion_is_scheduled_and_cancelled(kms, key):
    kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    metadata = kms.describe_key(KeyId=key)["KeyMetadata"]
    assert metadata["KeyState"] == "PendingDeletion"
    assert metadata["DeletionDate"] > metadata["CreationDate"]
    kms.cancel_key_deletion(KeyId=key)
    assert kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "Disabled"


def test_keys_carry_tags(kms, key):
    kms.tag_resource(KeyId=key, Tags=[{"TagKey": "team", "TagValue": "a"}])
    assert kms.list_resource_tags(KeyId=key)["Tags"] == [{"TagKey": "team", "TagValue": "a"}]
    kms.untag_resource(KeyId=key, TagKeys=["team"])
    assert kms.list_resource_tags(KeyId=key)["Tags"] == []
