"""A server that speaks AWS's protocols, and helpers that make the same call against any of them."""

import itertools
import time

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

HOME = "us-east-1"
UNITS = ["Security", "Security/BreakGlass", "Infrastructure", "Workloads", "Workloads/Dev", "Workloads/Staging", "Workloads/Prod"]
# The sandbox's own organization has more accounts; these are the ones that the tests use.
ACCOUNTS = {
    "ai-hub": "Infrastructure",
    "dev-1": "Workloads/Dev",
    "dev-2": "Workloads/Dev",
    "dev-3": "Workloads/Dev",
    "staging-1": "Workloads/Staging",
    "staging-2": "Workloads/Staging",
    "prod-1": "Workloads/Prod",
    "prod-2": "Workloads/Prod",
    "prod-3": "Workloads/Prod",
}
ADMINISTRATOR = {"aws_access_key_id": "AKIAIOSFODNN7EXAMPLE", "aws_secret_access_key": "any"}
# Seconds within which an operation must be final. moto answers when it has ended.
PATIENCE = {"sandbox": 30, "moto": 1}


def moto_deviates(how, decides):
    """moto does `how`; the AWS document at `decides` says otherwise, and the sandbox follows it."""
    return pytest.mark.moto_deviates(how=how, decides=decides)


class Aws:
    """One server, with its organization by name."""

    _numbers = itertools.count(1)

    def __init__(self, name, url):
        self.name = name
        self.url = url
        self.patience = PATIENCE[name]
        organizations = self.client("organizations")
        self.organization = organizations.describe_organization()["Organization"]
        self.management = self.organization["MasterAccountId"]
        self.root = organizations.list_roots()["Roots"][0]["Id"]
        self.units = {}
        self._walk(organizations, "", self.root)
        self.accounts = {
            account["Name"]: account["Id"]
            for page in organizations.get_paginator("list_accounts").paginate()
            for account in page["Accounts"]
        }

    def _walk(self, organizations, path, parent):
        pages = organizations.get_paginator("list_organizational_units_for_parent").paginate(ParentId=parent)
        for unit in [unit for page in pages for unit in page["OrganizationalUnits"]]:
            own = f"{path}/{unit['Name']}".lstrip("/")
            self.units[own] = unit["Id"]
            self._walk(organizations, own, unit["Id"])

    def client(self, service, account=None, region=HOME, keys=None):
        """A client of the management account's administrator, or of a role in the named account."""
        if keys is None:
            keys = self.keys_of(account) if account else ADMINISTRATOR
        config = Config(retries={"max_attempts": 0}, s3={"addressing_style": "path"})
        return boto3.client(service, region_name=region, endpoint_url=self.url, config=config, **keys)

    def keys_of(self, account, session="conformance"):
        """Temporary keys for the role that every created account has."""
        credentials = self.client("sts").assume_role(
            RoleArn=f"arn:aws:iam::{self.accounts[account]}:role/OrganizationAccountAccessRole",
            RoleSessionName=session,
        )["Credentials"]
        return {
            "aws_access_key_id": credentials["AccessKeyId"],
            "aws_secret_access_key": credentials["SecretAccessKey"],
            "aws_session_token": credentials["SessionToken"],
        }

    def unique(self, stem):
        """A name that no other test uses."""
        return f"{stem}-{next(self._numbers)}"


def make_moto_organization(url):
    """Gives moto the organization that the sandbox has from the start."""
    organizations = boto3.client("organizations", region_name=HOME, endpoint_url=url, **ADMINISTRATOR)
    organizations.create_organization(FeatureSet="ALL")
    root = organizations.list_roots()["Roots"][0]["Id"]
    units = {"": root}
    for path in UNITS:
        parent, _, name = path.rpartition("/")
        made = organizations.create_organizational_unit(ParentId=units[parent], Name=name)
        units[path] = made["OrganizationalUnit"]["Id"]
    for name, unit in ACCOUNTS.items():
        status = organizations.create_account(AccountName=name, Email=f"{name}@example.com")["CreateAccountStatus"]
        organizations.move_account(
            AccountId=status["AccountId"], SourceParentId=root, DestinationParentId=units[unit]
        )


def error(call, **arguments):
    """The code of the error that the call ends with."""
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return caught.value.response["Error"]["Code"]


def message(call, **arguments):
    """The text of the error that the call ends with."""
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return caught.value.response["Error"]["Message"]


def eventually(probe, patience):
    """The first true answer of the probe, within `patience` seconds."""
    end = time.monotonic() + patience
    while True:
        answer = probe()
        if answer:
            return answer
        assert time.monotonic() < end, "not within the time"
        time.sleep(0.02)


def once_known(aws, call, code, **arguments):
    """The answer, when the world knows of what was made a moment ago: until then the call ends with `code`."""

    def ask():
        try:
            return call(**arguments)
        except ClientError as problem:
            if problem.response["Error"]["Code"] != code:
                raise
            return None

    return eventually(ask, aws.patience)


def tags(mapping):
    return [{"Key": key, "Value": value} for key, value in mapping.items()]


def as_map(tag_list):
    return {tag["Key"]: tag["Value"] for tag in tag_list}


def parameters(mapping):
    return [{"ParameterKey": key, "ParameterValue": value} for key, value in mapping.items()]
