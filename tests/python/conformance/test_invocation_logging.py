"""Bedrock: the configuration of model invocation logging, one per account and Region, replaced whole."""

import json

import pytest
from worlds import error, message, moto_deviates, once_known

API = "https://docs.aws.amazon.com/bedrock/latest/APIReference/"
GUIDE = "https://docs.aws.amazon.com/bedrock/latest/userguide/model-invocation-logging.html"
GROUP = "/conformance/bedrock"
FLAGS = {f"{kind}DataDeliveryEnabled": True for kind in ("text", "image", "embedding", "video", "audio")}


@pytest.fixture
def bedrock(aws):
    client = aws.client("bedrock", "prod-1")
    yield client
    client.delete_model_invocation_logging_configuration()


@pytest.fixture(scope="module")
def destinations(request, servers):
    """In prod-1, what a configuration writes to, made as the guide asks for."""
    made = {}
    for aws in servers.values():
        account = aws.accounts["prod-1"]
        bucket, role = f"conformance-bedrock-{account}", "conformance-bedrock"
        source = {
            "StringEquals": {"aws:SourceAccount": account},
            "ArnLike": {"aws:SourceArn": f"arn:aws:bedrock:us-east-1:{account}:*"},
        }
        s3, logs, iam = (aws.client(service, "prod-1") for service in ("s3", "logs", "iam"))
        s3.create_bucket(Bucket=bucket)
        write = {
            "Effect": "Allow",
            "Principal": {"Service": "bedrock.amazonaws.com"},
            "Action": ["s3:PutObject"],
            "Resource": [f"arn:aws:s3:::{bucket}/logs/AWSLogs/{account}/BedrockModelInvocationLogs/*"],
            "Condition": source,
        }
        s3.put_bucket_policy(Bucket=bucket, Policy=document(write))
        logs.create_log_group(logGroupName=GROUP)
        trust = {
            "Effect": "Allow",
            "Principal": {"Service": "bedrock.amazonaws.com"},
            "Action": "sts:AssumeRole",
            "Condition": source,
        }
        arn = iam.create_role(RoleName=role, AssumeRolePolicyDocument=document(trust))["Role"]["Arn"]
        stream = f"arn:aws:logs:us-east-1:{account}:log-group:{GROUP}:log-stream:aws/bedrock/modelinvocations"
        allow = {"Effect": "Allow", "Action": ["logs:CreateLogStream", "logs:PutLogEvents"], "Resource": stream}
        iam.put_role_policy(RoleName=role, PolicyName="write", PolicyDocument=document(allow))
        made[aws.name] = {"bucket": bucket, "role": arn}
    return made


def document(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def configuration(destinations, aws, **changes):
    bucket = {"bucketName": destinations[aws.name]["bucket"], "keyPrefix": "logs"}
    return {
        "s3Config": bucket,
        "cloudWatchConfig": {
            "logGroupName": GROUP,
            "roleArn": destinations[aws.name]["role"],
            "largeDataDeliveryS3Config": bucket,
        },
        **FLAGS,
        **changes,
    }


@moto_deviates("there is an empty one", decides=API + "API_GetModelInvocationLoggingConfiguration.html")
def test_at_first_there_is_no_configuration(bedrock):
    assert "loggingConfig" not in bedrock.get_model_invocation_logging_configuration()


def test_a_configuration_is_read_as_it_was_put(aws, bedrock, destinations):
    wanted = configuration(destinations, aws)
    # A new role is not known to Bedrock at once.
    once_known(aws, bedrock.put_model_invocation_logging_configuration, "ValidationException", loggingConfig=wanted)
    assert bedrock.get_model_invocation_logging_configuration()["loggingConfig"] == wanted


def test_a_put_replaces_everything(aws, bedrock, destinations):
    bedrock.put_model_invocation_logging_configuration(loggingConfig=configuration(destinations, aws))
    second = {"s3Config": {"bucketName": destinations[aws.name]["bucket"], "keyPrefix": "logs"}, **FLAGS}
    second["videoDataDeliveryEnabled"] = False
    bedrock.put_model_invocation_logging_configuration(loggingConfig=second)
    assert bedrock.get_model_invocation_logging_configuration()["loggingConfig"] == second


def test_it_is_of_one_region_and_one_account(aws, bedrock, destinations):
    bedrock.put_model_invocation_logging_configuration(loggingConfig=configuration(destinations, aws))
    for other in (aws.client("bedrock", "prod-1", region="eu-west-1"), aws.client("bedrock", "prod-2")):
        assert not other.get_model_invocation_logging_configuration().get("loggingConfig")


def test_deleting_is_done_any_number_of_times(aws, bedrock, destinations):
    bedrock.put_model_invocation_logging_configuration(loggingConfig=configuration(destinations, aws))
    bedrock.delete_model_invocation_logging_configuration()
    bedrock.delete_model_invocation_logging_configuration()
    assert not bedrock.get_model_invocation_logging_configuration().get("loggingConfig")


@moto_deviates("nothing is checked", decides=GUIDE)
def test_the_role_must_be_there_and_may_write_to_the_group(aws, bedrock, destinations):
    call = bedrock.put_model_invocation_logging_configuration
    wrong = configuration(destinations, aws)
    wrong["cloudWatchConfig"]["roleArn"] = f"arn:aws:iam::{aws.accounts['prod-1']}:role/nobody"
    assert error(call, loggingConfig=wrong) == "ValidationException"
    assert "Failed to validate permissions for log group" in message(call, loggingConfig=wrong)
    wrong = configuration(destinations, aws)
    wrong["cloudWatchConfig"]["logGroupName"] = "/conformance/none"
    assert error(call, loggingConfig=wrong) == "ValidationException"


@moto_deviates("nothing is checked", decides=GUIDE)
def test_the_bucket_must_be_there_and_let_bedrock_write(aws, bedrock, destinations):
    call = bedrock.put_model_invocation_logging_configuration
    for bucket in ({"bucketName": "conformance-none"}, {"bucketName": destinations[aws.name]["bucket"], "keyPrefix": "other"}):
        assert error(call, loggingConfig={"s3Config": bucket, **FLAGS}) == "ValidationException"
