"""The AWS CLI, as an operator would use it beside Bedrail. Only on the sandbox: each call is a process, and what moto
answers is asked for by boto3."""

import json
import os
import subprocess
import sys

import pytest
from worlds import ADMINISTRATOR


def cli(aws, *arguments, keys=None, code=0):
    """What the CLI prints, parsed; its error text when it is expected to fail."""
    environment = {
        **os.environ,
        **{name.upper(): value for name, value in (keys or ADMINISTRATOR).items()},
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


@pytest.fixture
def aws(servers):
    if "sandbox" not in servers:
        pytest.skip("SERVERS leaves the sandbox out")
    return servers["sandbox"]


def test_who_am_i(aws):
    assert cli(aws, "sts", "get-caller-identity")["Account"] == aws.management


def test_the_accounts_of_the_organization(aws):
    listed = cli(aws, "organizations", "list-accounts")["Accounts"]
    assert {account["Id"] for account in listed} == set(aws.accounts.values())


def test_a_member_by_its_role(aws):
    keys = aws.keys_of("prod-2")
    assert cli(aws, "sts", "get-caller-identity", keys=keys)["Account"] == aws.accounts["prod-2"]
    assert "logGroups" in cli(aws, "logs", "describe-log-groups", keys=keys)
    assert "Roles" in cli(aws, "iam", "list-roles", keys=keys)


def test_a_bucket_by_path(aws):
    keys = aws.keys_of("prod-2")
    name = aws.unique(f"conformance-{aws.accounts['prod-2']}")
    cli(aws, "s3api", "create-bucket", "--bucket", name, keys=keys)
    assert name in [b["Name"] for b in cli(aws, "s3api", "list-buckets", keys=keys)["Buckets"]]
    cli(aws, "s3api", "delete-bucket", "--bucket", name, keys=keys)


def test_stack_sets_are_listed(aws):
    assert "Summaries" in cli(aws, "cloudformation", "list-stack-sets", "--status", "ACTIVE")


def test_logging_that_is_not_set(aws):
    keys = aws.keys_of("prod-2")
    assert not cli(aws, "bedrock", "get-model-invocation-logging-configuration", keys=keys)


def test_errors_carry_awss_codes(aws):
    text = cli(aws, "cloudformation", "describe-stack-set", "--stack-set-name", "none", code=255)
    assert "StackSetNotFoundException" in text
