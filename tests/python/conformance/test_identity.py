"""STS and IAM: who calls, what a role's keys are good for, and that accounts are apart."""

import json

import pytest
from worlds import error, moto_deviates, once_known

STS = "https://docs.aws.amazon.com/STS/latest/APIReference/"
IAM = "https://docs.aws.amazon.com/IAM/latest/APIReference/"


def trust(principal, condition=None):
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    if condition:
        statement["Condition"] = condition
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@pytest.fixture
def role(aws):
    """A role in dev-2 that the management account may assume."""
    iam = aws.client("iam", "dev-2")
    name = aws.unique("conformance")
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust({"AWS": f"arn:aws:iam::{aws.management}:root"}))
    yield name
    for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
        iam.delete_role_policy(RoleName=name, PolicyName=policy)
    iam.delete_role(RoleName=name)


def test_any_keys_are_the_management_accounts(aws):
    identity = aws.client("sts").get_caller_identity()
    assert identity["Account"] == aws.management
    assert f":{aws.management}:" in identity["Arn"]


def test_the_keys_of_a_role_belong_to_its_account(aws):
    keys = aws.keys_of("dev-1", session="a-session")
    identity = aws.client("sts", keys=keys).get_caller_identity()
    account = aws.accounts["dev-1"]
    assert identity["Account"] == account
    assert identity["Arn"] == f"arn:aws:sts::{account}:assumed-role/OrganizationAccountAccessRole/a-session"
    assert identity["UserId"].endswith(":a-session")
    assert keys["aws_access_key_id"].startswith("ASIA")


def test_a_new_role_can_be_assumed(aws, role):
    arn = f"arn:aws:iam::{aws.accounts['dev-2']}:role/{role}"
    assume = aws.client("sts").assume_role
    # IAM is eventually consistent: a new role is not known everywhere at once.
    answer = once_known(aws, assume, "AccessDenied", RoleArn=arn, RoleSessionName="first", DurationSeconds=900)
    assert answer["AssumedRoleUser"]["Arn"] == f"arn:aws:sts::{aws.accounts['dev-2']}:assumed-role/{role}/first"


@moto_deviates("roles need not exist", decides=STS + "API_AssumeRole.html")
def test_a_role_that_is_not_there_cannot_be_assumed(aws):
    arn = f"arn:aws:iam::{aws.accounts['dev-1']}:role/nobody"
    assert error(aws.client("sts").assume_role, RoleArn=arn, RoleSessionName="none") == "AccessDenied"


@moto_deviates(
    "trust policies are not read",
    decides="https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html",
)
def test_the_external_id_must_be_right(aws, role):
    condition = {"StringEquals": {"sts:ExternalId": "the-right-one"}}
    principal = {"AWS": f"arn:aws:iam::{aws.management}:root"}
    aws.client("iam", "dev-2").update_assume_role_policy(RoleName=role, PolicyDocument=trust(principal, condition))
    arn = f"arn:aws:iam::{aws.accounts['dev-2']}:role/{role}"
    sts = aws.client("sts")
    assert error(sts.assume_role, RoleArn=arn, RoleSessionName="none") == "AccessDenied"
    assert error(sts.assume_role, RoleArn=arn, RoleSessionName="none", ExternalId="another") == "AccessDenied"
    right = {"RoleArn": arn, "RoleSessionName": "some", "ExternalId": "the-right-one"}
    assert once_known(aws, sts.assume_role, "AccessDenied", **right)
    assert error(sts.assume_role, **{**right, "ExternalId": "another"}) == "AccessDenied"


@moto_deviates("chained sessions may be long", decides=STS + "API_AssumeRole.html")
def test_a_chained_session_ends_within_the_hour(aws, role):
    chained = aws.client("sts", keys=aws.keys_of("dev-2"))
    own = {"AWS": f"arn:aws:iam::{aws.accounts['dev-2']}:root"}
    aws.client("iam", "dev-2").update_assume_role_policy(RoleName=role, PolicyDocument=trust(own))
    session = {"RoleArn": f"arn:aws:iam::{aws.accounts['dev-2']}:role/{role}", "RoleSessionName": "long"}
    once_known(aws, chained.assume_role, "AccessDenied", **session, DurationSeconds=3600)
    assert error(chained.assume_role, **session, DurationSeconds=7200) == "ValidationError"


def test_what_one_account_makes_the_other_does_not_see(aws, role):
    names = [r["RoleName"] for r in aws.client("iam", "dev-1").list_roles()["Roles"]]
    assert role not in names
    assert error(aws.client("iam", "dev-1").get_role, RoleName=role) == "NoSuchEntity"


def test_a_role_is_found_with_its_trust(aws, role):
    found = aws.client("iam", "dev-2").get_role(RoleName=role)["Role"]
    assert found["Arn"] == f"arn:aws:iam::{aws.accounts['dev-2']}:role/{role}"
    assert found["AssumeRolePolicyDocument"]["Statement"][0]["Action"] == "sts:AssumeRole"
    assert found["RoleId"].startswith("AROA")


def test_iam_knows_no_regions(aws, role):
    found = aws.client("iam", "dev-2", region="eu-west-1").get_role(RoleName=role)["Role"]
    assert found["RoleName"] == role


def test_a_role_name_is_taken_once(aws, role):
    iam = aws.client("iam", "dev-2")
    document = trust({"Service": "bedrock.amazonaws.com"})
    assert error(iam.create_role, RoleName=role, AssumeRolePolicyDocument=document) == "EntityAlreadyExists"


def test_inline_policies_are_put_read_and_deleted(aws, role):
    iam = aws.client("iam", "dev-2")
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "logs:PutLogEvents", "Resource": "*"}]}
    iam.put_role_policy(RoleName=role, PolicyName="write", PolicyDocument=json.dumps(document))
    assert iam.list_role_policies(RoleName=role)["PolicyNames"] == ["write"]
    assert iam.get_role_policy(RoleName=role, PolicyName="write")["PolicyDocument"] == document
    assert error(iam.delete_role, RoleName=role) == "DeleteConflict"
    iam.delete_role_policy(RoleName=role, PolicyName="write")
    assert error(iam.get_role_policy, RoleName=role, PolicyName="write") == "NoSuchEntity"


@moto_deviates("any text is taken", decides=IAM + "API_CreateRole.html")
def test_a_trust_policy_that_is_no_policy_is_refused(aws):
    iam = aws.client("iam", "dev-2")
    call = iam.create_role
    assert error(call, RoleName=aws.unique("broken"), AssumeRolePolicyDocument="{") == "MalformedPolicyDocument"
