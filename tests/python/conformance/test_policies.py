"""Service control policies: made, attached, counted, taken away."""

import json

import pytest
from worlds import as_map, error, eventually, moto_deviates, tags

API = "https://docs.aws.amazon.com/organizations/latest/APIReference/"
LIMITS = "https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html"
TYPE = "SERVICE_CONTROL_POLICY"
DENY = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "bedrock:Put*", "Resource": "*"}]})


@pytest.fixture
def organizations(aws):
    """With the type enabled, as after the first run of anything."""
    client = aws.client("organizations")

    def types():
        return {t["Type"]: t["Status"] for t in client.list_roots()["Roots"][0]["PolicyTypes"]}

    if TYPE not in types():
        client.enable_policy_type(RootId=aws.root, PolicyType=TYPE)
        # Enabling takes its time, and is seen in ListRoots.
        eventually(lambda: types()[TYPE] == "ENABLED", aws.patience)
    return client


@pytest.fixture
def policy(aws, organizations):
    """A policy that is gone again after the test, wherever it was attached."""
    made = organizations.create_policy(
        Name=aws.unique("conformance"), Description="for a test", Type=TYPE, Content=DENY, Tags=tags({"owner": "test"})
    )["Policy"]["PolicySummary"]
    yield made["Id"]
    try:
        for target in organizations.list_targets_for_policy(PolicyId=made["Id"])["Targets"]:
            organizations.detach_policy(PolicyId=made["Id"], TargetId=target["TargetId"])
        organizations.delete_policy(PolicyId=made["Id"])
    except organizations.exceptions.PolicyNotFoundException:
        pass


def test_the_type_is_enabled_once(aws, organizations):
    assert error(organizations.enable_policy_type, RootId=aws.root, PolicyType=TYPE) == "PolicyTypeAlreadyEnabledException"
    types = {t["Type"]: t["Status"] for t in organizations.list_roots()["Roots"][0]["PolicyTypes"]}
    assert types[TYPE] == "ENABLED"


def test_full_access_is_attached_from_the_start(aws, organizations):
    for target in (aws.root, aws.units["Workloads/Prod"], aws.accounts["prod-1"]):
        attached = organizations.list_policies_for_target(TargetId=target, Filter=TYPE)["Policies"]
        full = next(p for p in attached if p["Id"] == "p-FullAWSAccess")
        assert full["AwsManaged"]
        assert full["Name"] == "FullAWSAccess"


def test_a_policy_keeps_what_it_was_made_with(aws, organizations, policy):
    described = organizations.describe_policy(PolicyId=policy)["Policy"]
    assert json.loads(described["Content"]) == json.loads(DENY)
    summary = described["PolicySummary"]
    assert summary["Description"] == "for a test"
    assert summary["Type"] == TYPE
    assert not summary["AwsManaged"]
    assert summary["Arn"].endswith(f"policy/{aws.organization['Id']}/service_control_policy/{policy}")
    assert as_map(organizations.list_tags_for_resource(ResourceId=policy)["Tags"]) == {"owner": "test"}


def test_names_are_unique(organizations, policy):
    name = organizations.describe_policy(PolicyId=policy)["Policy"]["PolicySummary"]["Name"]
    assert error(organizations.create_policy, Name=name, Description="", Type=TYPE, Content=DENY) == "DuplicatePolicyException"


def test_an_update_replaces_content_and_description(organizations, policy):
    other = DENY.replace("Put*", "Delete*")
    organizations.update_policy(PolicyId=policy, Content=other, Description="changed")
    described = organizations.describe_policy(PolicyId=policy)["Policy"]
    assert json.loads(described["Content"]) == json.loads(other)
    assert described["PolicySummary"]["Description"] == "changed"


@pytest.mark.parametrize("where", ["root", "unit", "account"])
def test_a_policy_is_attached_and_detached(aws, organizations, policy, where):
    target = {"root": aws.root, "unit": aws.units["Workloads/Staging"], "account": aws.accounts["staging-1"]}[where]
    organizations.attach_policy(PolicyId=policy, TargetId=target)
    targets = organizations.list_targets_for_policy(PolicyId=policy)["Targets"]
    assert [t["TargetId"] for t in targets] == [target]
    assert targets[0]["Type"] == {"root": "ROOT", "unit": "ORGANIZATIONAL_UNIT", "account": "ACCOUNT"}[where]
    attached = organizations.list_policies_for_target(TargetId=target, Filter=TYPE)["Policies"]
    assert policy in [p["Id"] for p in attached]
    organizations.detach_policy(PolicyId=policy, TargetId=target)
    assert organizations.list_targets_for_policy(PolicyId=policy)["Targets"] == []


@moto_deviates("it is taken a second time", decides=API + "API_AttachPolicy.html")
def test_a_policy_is_attached_only_once(aws, organizations, policy):
    target = aws.units["Workloads/Staging"]
    organizations.attach_policy(PolicyId=policy, TargetId=target)
    assert error(organizations.attach_policy, PolicyId=policy, TargetId=target) == "DuplicatePolicyAttachmentException"


@moto_deviates("it succeeds", decides=API + "API_DetachPolicy.html")
def test_what_is_not_attached_is_not_detached(aws, organizations, policy):
    call = organizations.detach_policy
    assert error(call, PolicyId=policy, TargetId=aws.units["Workloads/Staging"]) == "PolicyNotAttachedException"


def test_an_attached_policy_is_not_deleted(aws, organizations, policy):
    organizations.attach_policy(PolicyId=policy, TargetId=aws.units["Workloads/Dev"])
    assert error(organizations.delete_policy, PolicyId=policy) == "PolicyInUseException"


def test_a_deleted_policy_is_gone(organizations, policy):
    organizations.delete_policy(PolicyId=policy)
    assert error(organizations.describe_policy, PolicyId=policy) == "PolicyNotFoundException"
    assert policy not in [p["Id"] for p in organizations.list_policies(Filter=TYPE)["Policies"]]


@moto_deviates("any text is taken", decides=API + "API_CreatePolicy.html")
def test_a_document_that_is_no_policy_is_refused(aws, organizations):
    call = organizations.create_policy
    assert (
        error(call, Name=aws.unique("broken"), Description="", Type=TYPE, Content='{"Statement": "none"}')
        == "MalformedPolicyDocumentException"
    )


@moto_deviates("any size is taken", decides=LIMITS)
def test_a_document_has_at_most_10240_characters(aws, organizations):
    statements = [{"Effect": "Deny", "Action": f"bedrock:{n:040}", "Resource": "*"} for n in range(110)]
    content = json.dumps({"Version": "2012-10-17", "Statement": statements}, separators=(",", ":"))
    assert len(content) > 10_240
    call = organizations.create_policy
    assert error(call, Name=aws.unique("large"), Description="", Type=TYPE, Content=content) == "ConstraintViolationException"


@moto_deviates("any number is taken", decides=LIMITS)
def test_a_target_has_at_most_ten_policies(aws, organizations):
    unit = organizations.create_organizational_unit(ParentId=aws.root, Name=aws.unique("Full"))["OrganizationalUnit"]["Id"]
    made = [
        organizations.create_policy(Name=aws.unique("many"), Description="", Type=TYPE, Content=DENY)["Policy"]["PolicySummary"]["Id"]
        for _ in range(10)
    ]
    try:
        # FullAWSAccess is the first of the ten.
        for policy in made[:9]:
            organizations.attach_policy(PolicyId=policy, TargetId=unit)
        assert error(organizations.attach_policy, PolicyId=made[9], TargetId=unit) == "ConstraintViolationException"
    finally:
        for policy in made:
            for target in organizations.list_targets_for_policy(PolicyId=policy)["Targets"]:
                organizations.detach_policy(PolicyId=policy, TargetId=target["TargetId"])
            organizations.delete_policy(PolicyId=policy)
        organizations.delete_organizational_unit(OrganizationalUnitId=unit)


@moto_deviates("it succeeds", decides=LIMITS)
def test_a_target_keeps_at_least_one_policy(aws, organizations):
    unit = organizations.create_organizational_unit(ParentId=aws.root, Name=aws.unique("Bare"))["OrganizationalUnit"]["Id"]
    call = organizations.detach_policy
    try:
        assert error(call, PolicyId="p-FullAWSAccess", TargetId=unit) == "ConstraintViolationException"
    finally:
        organizations.delete_organizational_unit(OrganizationalUnitId=unit)


@moto_deviates("AWS's own policy can be changed", decides=API + "API_UpdatePolicy.html")
def test_awss_own_policy_is_left_alone(organizations):
    assert error(organizations.update_policy, PolicyId="p-FullAWSAccess", Description="mine") == "InvalidInputException"


@moto_deviates("it is an account that is not found", decides=API + "API_AttachPolicy.html")
@pytest.mark.parametrize("operation", ["attach_policy", "detach_policy"])
def test_an_unknown_target_is_not_found(organizations, policy, operation):
    call = getattr(organizations, operation)
    assert error(call, PolicyId=policy, TargetId="000000000000") == "TargetNotFoundException"
