"""The AWS CLI, as an operator would use it beside Bedrail."""

import json
import os
import subprocess
import sys

from worlds import moto_deviates


def cli(aws, *arguments, keys=None, code=0):
    """What the CLI prints, parsed; its error text when it is expected to fail."""
    keys = keys or {"aws_access_key_id": "AKIAIOSFODNN7EXAMPLE", "aws_secret_access_key": "any"}
    environment = {
        **os.environ,
        **{name.upper(): value for name, value in keys.items()},
        "AWS_ENDPOINT_URL": aws.url,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_PAGER": "",
    }
    command = [sys.executable, "-m", "awscli", *arguments, "--output", "json"]
    answer = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert answer.returncode == code, answer.stderr
    if code:
        return answer.stderr
    return json.loads(answer.stdout) if answer.stdout.strip() else None


def test_who_am_i(aws):
    assert cli(aws, "sts", "get-caller-identity")["Account"] == aws.management


def test_the_accounts_of_the_organization(aws):
    listed = cli(aws, "organizations", "list-accounts")["Accounts"]
    assert {account["Id"] for account in listed} == set(aws.accounts.values())


def test_a_member_by_its_role(aws):
    keys = aws.keys_of("prod-2")
    assert cli(aws, "sts", "get-caller-identity", keys=keys)["Account"] == aws.accounts["prod-2"]
    assert cli(aws, "kms", "list-keys", keys=keys)["Keys"] is not None
    assert "logGroups" in cli(aws, "logs", "describe-log-groups", keys=keys)
    assert "Roles" in cli(aws, "iam", "list-roles", keys=keys)


def test_a_bucket_by_path(aws):
    keys = aws.keys_of("prod-2")
    name = aws.unique(f"conformance-{aws.accounts['prod-2']}")
    cli(aws, "s3api", "create-bucket", "--bucket", name, keys=keys)
    cli(aws, "s3api", "put-object", "--bucket", name, "--key", "k", keys=keys)
    assert cli(aws, "s3api", "head-object", "--bucket", name, "--key", "k", keys=keys)["ContentLength"] == 0
    cli(aws, "s3api", "delete-object", "--bucket", name, "--key", "k", keys=keys)
    cli(aws, "s3api", "delete-bucket", "--bucket", name, keys=keys)


def test_stack_sets_are_listed(aws):
    assert "Summaries" in cli(aws, "cloudformation", "list-stack-sets", "--status", "ACTIVE")


@moto_deviates(
    "an unset configuration is an empty one",
    decides="https://docs.aws.amazon.com/bedrock/latest/APIReference/API_GetModelInvocationLoggingConfiguration.html",
)
def test_logging_that_is_not_set(aws):
    keys = aws.keys_of("prod-2")
    assert "loggingConfig" not in (cli(aws, "bedrock", "get-model-invocation-logging-configuration", keys=keys) or {})


def test_errors_carry_awss_codes(aws):
    text = cli(aws, "cloudformation", "describe-stack-set", "--stack-set-name", "none", code=255)
    assert "StackSetNotFoundException" in text
