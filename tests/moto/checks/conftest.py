"""Looks at a moto server from outside, with boto3: what the rollout has left there.

MOTO_URL is the server, SEED what seed.py printed.
"""

import json
import os

import boto3
import pytest

REGIONS = ["us-east-1", "eu-west-1"]
ENVIRONMENTS = {"dev": "Workloads/Dev", "staging": "Workloads/Staging", "prod": "Workloads/Prod"}


class World:
    """The server, as the management account and as its members see it."""

    def __init__(self, url, seed):
        self.url = url
        self.seed = seed

    def client(self, service, account=None, region="us-east-1"):
        keys = {"aws_access_key_id": "AKIAIOSFODNN7EXAMPLE", "aws_secret_access_key": "any"}
        if account:
            session = self.client("sts").assume_role(
                RoleArn=f"arn:aws:iam::{account}:role/OrganizationAccountAccessRole",
                RoleSessionName="checks",
            )["Credentials"]
            keys = {
                "aws_access_key_id": session["AccessKeyId"],
                "aws_secret_access_key": session["SecretAccessKey"],
                "aws_session_token": session["SessionToken"],
            }
        return boto3.client(service, region_name=region, endpoint_url=self.url, **keys)

    def accounts_of(self, environment):
        unit = ENVIRONMENTS[environment]
        return sorted(
            self.seed["accounts"][name]
            for name, place in self.seed["units_of_accounts"].items()
            if place == unit
        )

    def members(self):
        return [account for environment in ENVIRONMENTS for account in self.accounts_of(environment)]

    def stack_sets(self):
        """Active StackSets by name, as DescribeStackSet shows them."""
        cloudformation = self.client("cloudformation")
        names = [s["StackSetName"] for s in cloudformation.list_stack_sets()["Summaries"] if s["Status"] == "ACTIVE"]
        return {name: cloudformation.describe_stack_set(StackSetName=name)["StackSet"] for name in names}

    def policies(self):
        """Policies with the rollout's mark: content, tags and targets, by name."""
        organizations = self.client("organizations")
        ours = {}
        for summary in organizations.list_policies(Filter="SERVICE_CONTROL_POLICY")["Policies"]:
            tags = {
                t["Key"]: t["Value"]
                for t in organizations.list_tags_for_resource(ResourceId=summary["Id"])["Tags"]
            }
            if tags.get("bedrail:rollout") != "reduced":
                continue
            policy = organizations.describe_policy(PolicyId=summary["Id"])["Policy"]
            targets = organizations.list_targets_for_policy(PolicyId=summary["Id"])["Targets"]
            ours[summary["Name"]] = {
                "component": tags.get("bedrail:component"),
                "description": summary["Description"],
                "content": policy["Content"],
                "targets": sorted(t["TargetId"] for t in targets),
            }
        return ours


@pytest.fixture(scope="session")
def world():
    return World(os.environ["MOTO_URL"], json.loads(os.environ["SEED"]))
