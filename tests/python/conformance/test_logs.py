"""CloudWatch Logs: groups, how long they keep, and destinations that other accounts send to."""

import json

import pytest
from worlds import error, moto_deviates

API = "https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/"


@pytest.fixture
def logs(aws):
    return aws.client("logs", "dev-1")


@pytest.fixture
def group(aws, logs):
    name = aws.unique("/conformance/group")
    logs.create_log_group(logGroupName=name)
    yield name
    logs.delete_log_group(logGroupName=name)


def described(logs, name):
    groups = logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    return next(g for g in groups if g["logGroupName"] == name)


def test_a_group_has_two_arns(aws, logs, group):
    found = described(logs, group)
    arn = f"arn:aws:logs:us-east-1:{aws.accounts['dev-1']}:log-group:{group}"
    assert found["arn"] == arn + ":*"
    assert found["logGroupArn"] == arn
    assert "retentionInDays" not in found


def test_a_group_is_made_once(logs, group):
    assert error(logs.create_log_group, logGroupName=group) == "ResourceAlreadyExistsException"


def test_groups_are_of_one_region_and_one_account(aws, group):
    for client in (aws.client("logs", "dev-1", region="eu-west-1"), aws.client("logs", "dev-2")):
        assert client.describe_log_groups(logGroupNamePrefix=group)["logGroups"] == []


def test_retention_is_put_and_taken_away(logs, group):
    logs.put_retention_policy(logGroupName=group, retentionInDays=2557)
    assert described(logs, group)["retentionInDays"] == 2557
    logs.delete_retention_policy(logGroupName=group)
    assert "retentionInDays" not in described(logs, group)


@moto_deviates("any number of days is taken", decides=API + "API_PutRetentionPolicy.html")
def test_retention_takes_only_certain_days(logs, group):
    assert error(logs.put_retention_policy, logGroupName=group, retentionInDays=2556) == "InvalidParameterException"


def test_what_is_not_there_is_not_found(logs):
    call = logs.put_retention_policy
    assert error(call, logGroupName="/conformance/none", retentionInDays=30) == "ResourceNotFoundException"
    assert error(logs.delete_log_group, logGroupName="/conformance/none") == "ResourceNotFoundException"


@moto_deviates("it is taken", decides=API + "API_CreateLogGroup.html")
def test_names_do_not_begin_with_aws(logs):
    assert error(logs.create_log_group, logGroupName="aws/own") == "InvalidParameterException"


@moto_deviates("the key is not looked at", decides=API + "API_AssociateKmsKey.html")
def test_a_key_must_let_the_service_use_it(aws, logs, group):
    kms = aws.client("kms", "dev-1")
    key = kms.create_key()["KeyMetadata"]
    call = logs.associate_kms_key
    assert error(call, logGroupName=group, kmsKeyId=key["Arn"]) == "InvalidParameterException"
    account = aws.accounts["dev-1"]
    statements = [
        {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{account}:root"}, "Action": "kms:*", "Resource": "*"},
        {
            "Effect": "Allow",
            "Principal": {"Service": "logs.us-east-1.amazonaws.com"},
            "Action": ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:Describe*"],
            "Resource": "*",
            "Condition": {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": f"arn:aws:logs:us-east-1:{account}:log-group:*"}},
        },
    ]
    document = json.dumps({"Version": "2012-10-17", "Statement": statements})
    kms.put_key_policy(KeyId=key["KeyId"], PolicyName="default", Policy=document)
    logs.associate_kms_key(logGroupName=group, kmsKeyId=key["Arn"])
    assert described(logs, group)["kmsKeyId"] == key["Arn"]


def test_groups_carry_tags(logs, group):
    arn = described(logs, group)["logGroupArn"]
    logs.tag_resource(resourceArn=arn, tags={"team": "a"})
    assert logs.list_tags_for_resource(resourceArn=arn)["tags"] == {"team": "a"}
    logs.untag_resource(resourceArn=arn, tagKeys=["team"])
    assert logs.list_tags_for_resource(resourceArn=arn)["tags"] == {}
