"""AWS Organizations: the tree, its accounts, tags, and who may administer what."""

import pytest
from worlds import UNITS, as_map, error, moto_deviates, tags

API = "https://docs.aws.amazon.com/organizations/latest/APIReference/"


def test_the_organization_has_all_features_and_a_management_account(aws):
    organization = aws.organization
    assert organization["FeatureSet"] == "ALL"
    assert organization["Id"].startswith("o-")
    assert organization["Arn"] == f"arn:aws:organizations::{aws.management}:organization/{organization['Id']}"
    assert organization["MasterAccountArn"].endswith(f"{organization['Id']}/{aws.management}")


def test_there_is_one_root(aws):
    roots = aws.client("organizations").list_roots()["Roots"]
    assert [root["Name"] for root in roots] == ["Root"]
    assert roots[0]["Arn"].endswith(f"root/{aws.organization['Id']}/{aws.root}")


def test_units_form_the_tree(aws):
    assert set(UNITS) <= set(aws.units)
    assert all(unit.startswith(f"ou-{aws.root[2:]}-") for unit in aws.units.values())


def test_accounts_for_parent_lists_only_what_lies_directly_below(aws):
    organizations = aws.client("organizations")
    assert organizations.list_accounts_for_parent(ParentId=aws.units["Workloads"])["Accounts"] == []
    names = {a["Name"] for a in organizations.list_accounts_for_parent(ParentId=aws.units["Workloads/Dev"])["Accounts"]}
    assert {"dev-1", "dev-2", "dev-3"} <= names


def test_accounts_have_state_and_status(aws):
    account = aws.client("organizations").describe_account(AccountId=aws.accounts["dev-1"])["Account"]
    assert account["State"] == "ACTIVE"
    assert account["Status"] == "ACTIVE"
    assert account["JoinedMethod"] == "CREATED"
    assert account["Arn"].endswith(f"{aws.organization['Id']}/{aws.accounts['dev-1']}")


@moto_deviates("accounts have no paths", decides=API + "API_Account.html")
def test_accounts_say_where_they_are(aws):
    account = aws.client("organizations").describe_account(AccountId=aws.accounts["prod-1"])["Account"]
    path = [aws.organization["Id"], aws.root, aws.units["Workloads"], aws.units["Workloads/Prod"], aws.accounts["prod-1"]]
    assert account["Paths"] == ["/".join(path) + "/"]


def test_parents_and_children_agree(aws):
    organizations = aws.client("organizations")
    parents = organizations.list_parents(ChildId=aws.accounts["prod-1"])["Parents"]
    assert parents == [{"Id": aws.units["Workloads/Prod"], "Type": "ORGANIZATIONAL_UNIT"}]
    children = organizations.list_children(ParentId=aws.units["Workloads/Prod"], ChildType="ACCOUNT")["Children"]
    assert aws.accounts["prod-1"] in [child["Id"] for child in children]


def test_lists_come_in_pages(aws):
    organizations = aws.client("organizations")
    first = organizations.list_accounts(MaxResults=2)
    assert len(first["Accounts"]) == 2
    pages = organizations.get_paginator("list_accounts").paginate(PaginationConfig={"PageSize": 2})
    everybody = [account["Id"] for page in pages for account in page["Accounts"]]
    assert sorted(everybody) == sorted(aws.accounts.values())


@moto_deviates("any page size is taken", decides=API + "API_ListAccounts.html")
def test_pages_have_at_most_twenty_entries(aws):
    assert error(aws.client("organizations").list_accounts, MaxResults=21) == "InvalidInputException"


def test_accounts_and_units_carry_tags(aws):
    organizations = aws.client("organizations")
    for resource in (aws.accounts["dev-3"], aws.units["Workloads/Dev"]):
        organizations.tag_resource(ResourceId=resource, Tags=tags({"conformance": "one", "team": "a"}))
        organizations.tag_resource(ResourceId=resource, Tags=tags({"conformance": "two"}))
        held = as_map(organizations.list_tags_for_resource(ResourceId=resource)["Tags"])
        assert held["conformance"] == "two"
        assert held["team"] == "a"
        organizations.untag_resource(ResourceId=resource, TagKeys=["conformance", "team"])
        assert "conformance" not in as_map(organizations.list_tags_for_resource(ResourceId=resource)["Tags"])


@pytest.mark.parametrize(
    ("operation", "arguments", "code"),
    [
        ("describe_account", {"AccountId": "000000000000"}, "AccountNotFoundException"),
        ("describe_organizational_unit", {"OrganizationalUnitId": "ou-none-12345678"}, "OrganizationalUnitNotFoundException"),
        ("describe_policy", {"PolicyId": "p-12345678"}, "PolicyNotFoundException"),
        ("list_tags_for_resource", {"ResourceId": "000000000000"}, "TargetNotFoundException"),
    ],
)
def test_what_is_not_there_is_not_found(aws, operation, arguments, code):
    assert error(getattr(aws.client("organizations"), operation), **arguments) == code


def test_an_unknown_parent_is_not_found(aws):
    call = aws.client("organizations").list_accounts_for_parent
    assert error(call, ParentId="ou-none-12345678") == "ParentNotFoundException"


def test_a_unit_is_made_renamed_filled_and_deleted(aws):
    organizations = aws.client("organizations")
    unit = organizations.create_organizational_unit(ParentId=aws.root, Name=aws.unique("Moving"))["OrganizationalUnit"]["Id"]
    account, home = aws.accounts["staging-2"], aws.units["Workloads/Staging"]
    organizations.move_account(AccountId=account, SourceParentId=home, DestinationParentId=unit)
    assert organizations.list_parents(ChildId=account)["Parents"][0]["Id"] == unit
    organizations.move_account(AccountId=account, SourceParentId=unit, DestinationParentId=home)
    renamed = organizations.update_organizational_unit(OrganizationalUnitId=unit, Name=aws.unique("Renamed"))
    assert renamed["OrganizationalUnit"]["Name"].startswith("Renamed")
    organizations.delete_organizational_unit(OrganizationalUnitId=unit)
    assert error(organizations.describe_organizational_unit, OrganizationalUnitId=unit) == "OrganizationalUnitNotFoundException"


@moto_deviates("it is deleted", decides=API + "API_DeleteOrganizationalUnit.html")
def test_a_unit_with_something_in_it_is_not_deleted(aws):
    organizations = aws.client("organizations")
    unit = organizations.create_organizational_unit(ParentId=aws.root, Name=aws.unique("Outer"))["OrganizationalUnit"]["Id"]
    inner = organizations.create_organizational_unit(ParentId=unit, Name="Inner")["OrganizationalUnit"]["Id"]
    code = error(organizations.delete_organizational_unit, OrganizationalUnitId=unit)
    assert code == "OrganizationalUnitNotEmptyException"
    organizations.delete_organizational_unit(OrganizationalUnitId=inner)
    organizations.delete_organizational_unit(OrganizationalUnitId=unit)


@moto_deviates("a second one is made", decides=API + "API_CreateOrganizationalUnit.html")
def test_two_units_of_one_parent_do_not_share_a_name(aws):
    assert (
        error(aws.client("organizations").create_organizational_unit, ParentId=aws.units["Workloads"], Name="Dev")
        == "DuplicateOrganizationalUnitException"
    )


@moto_deviates(
    "the principal of StackSets is unknown",
    decides="https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/stacksets-orgs-delegated-admin.html",
)
def test_a_member_may_administer_stack_sets(aws):
    organizations = aws.client("organizations")
    principal = "member.org.stacksets.cloudformation.amazonaws.com"
    aws.client("cloudformation").activate_organizations_access()
    account = aws.accounts["ai-hub"]
    organizations.register_delegated_administrator(AccountId=account, ServicePrincipal=principal)
    try:
        listed = organizations.list_delegated_administrators(ServicePrincipal=principal)["DelegatedAdministrators"]
        assert [administrator["Id"] for administrator in listed] == [account]
        again = error(organizations.register_delegated_administrator, AccountId=account, ServicePrincipal=principal)
        assert again == "AccountAlreadyRegisteredException"
    finally:
        organizations.deregister_delegated_administrator(AccountId=account, ServicePrincipal=principal)
    assert organizations.list_delegated_administrators(ServicePrincipal=principal)["DelegatedAdministrators"] == []


def test_the_management_account_is_nobodys_delegate(aws):
    call = aws.client("organizations").register_delegated_administrator
    principal = "member.org.stacksets.cloudformation.amazonaws.com"
    assert error(call, AccountId=aws.management, ServicePrincipal=principal) == "ConstraintViolationException"


@moto_deviates("members may read the organization", decides=API + "API_ListAccounts.html")
def test_members_may_not_list_accounts(aws):
    assert error(aws.client("organizations", "dev-1").list_accounts) == "AccessDeniedException"
