"""StackSets with service-managed permissions: definitions, instances in member accounts, operations."""

import pytest
from worlds import as_map, error, eventually, moto_deviates, parameters, tags

API = "https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/"
GUIDE = "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/"

GROUP = """
Parameters:
  Name: {Type: String}
  Days: {Type: Number, Default: 30}
Resources:
  Group:
    Type: AWS::Logs::LogGroup
    Properties:
      LogGroupName: !Sub "/conformance/${Name}"
      RetentionInDays: !Ref Days
"""


class StackSet:
    """A StackSet of one test."""

    def __init__(self, aws):
        self.aws = aws
        self.client = aws.client("cloudformation")
        self.name = aws.unique("conformance")
        self.arguments = {
            "StackSetName": self.name,
            "TemplateBody": GROUP,
            "Parameters": parameters({"Name": self.name, "Days": "30"}),
            "PermissionModel": "SERVICE_MANAGED",
            "AutoDeployment": {"Enabled": False},
        }

    def create(self, **changes):
        return self.client.create_stack_set(**{**self.arguments, **changes})["StackSetId"]

    def target(self, *units, accounts=None, kind=None):
        targets = {"OrganizationalUnitIds": [self.aws.units[unit] for unit in units]}
        if accounts:
            targets["Accounts"] = [self.aws.accounts[account] for account in accounts]
            targets["AccountFilterType"] = kind or "INTERSECTION"
        return targets

    def finish(self, answer):
        """The operation, when it is final."""

        def final():
            operation = self.client.describe_stack_set_operation(
                StackSetName=self.name, OperationId=answer["OperationId"]
            )["StackSetOperation"]
            return operation if operation["Status"] in ("SUCCEEDED", "FAILED", "STOPPED") else None

        return eventually(final, self.aws.patience)

    def deploy(self, targets, regions=("us-east-1",), **arguments):
        answer = self.client.create_stack_instances(
            StackSetName=self.name, DeploymentTargets=targets, Regions=list(regions), **arguments
        )
        return self.finish(answer)

    def rows(self, operation, number):
        """The operation's rows, once that many are final: the list is eventually consistent."""

        def final():
            rows = self.client.list_stack_set_operation_results(
                StackSetName=self.name, OperationId=operation["OperationId"]
            )["Summaries"]
            done = [row for row in rows if row["Status"] in ("SUCCEEDED", "FAILED", "CANCELLED")]
            return rows if len(done) == number else None

        return eventually(final, self.aws.patience)

    def instances(self):
        pages = self.client.get_paginator("list_stack_instances").paginate(StackSetName=self.name)
        return [instance for page in pages for instance in page["Summaries"]]

    def places(self):
        """Where there is a stack; suspended accounts have an instance that was skipped."""
        return sorted(
            (instance["Account"], instance["Region"])
            for instance in self.instances()
            if instance["StackInstanceStatus"]["DetailedStatus"] != "SKIPPED_SUSPENDED_ACCOUNT"
        )

    def retention(self, account, region="us-east-1"):
        logs = self.aws.client("logs", account, region)
        groups = logs.describe_log_groups(logGroupNamePrefix=f"/conformance/{self.name}")["logGroups"]
        return [group.get("retentionInDays") for group in groups]

    def clear(self):
        # A second time without the stacks, for accounts that cannot be reached.
        for retain in (False, True):
            instances = self.instances()
            if instances:
                answer = self.client.delete_stack_instances(
                    StackSetName=self.name,
                    DeploymentTargets={"OrganizationalUnitIds": [self.aws.root]},
                    Regions=sorted({instance["Region"] for instance in instances}),
                    RetainStacks=retain,
                )
                self.finish(answer)
        self.client.delete_stack_set(StackSetName=self.name)


@pytest.fixture
def stack_set(aws):
    made = StackSet(aws)
    if aws.name != "moto":
        made.client.activate_organizations_access()
    yield made
    if aws.name != "moto":
        try:
            made.clear()
        except made.client.exceptions.StackSetNotFoundException:
            pass


@moto_deviates("it is not implemented", decides=API + "API_ActivateOrganizationsAccess.html")
def test_organizations_access_is_activated(aws):
    cloudformation = aws.client("cloudformation")
    cloudformation.activate_organizations_access()
    assert cloudformation.describe_organizations_access()["Status"] == "ENABLED"


def test_a_set_is_described_as_it_was_made(aws, stack_set):
    identity = stack_set.create(Description="for a test", Tags=tags({"owner": "test"}))
    assert identity.startswith(f"{stack_set.name}:")
    held = stack_set.client.describe_stack_set(StackSetName=stack_set.name)["StackSet"]
    assert held["StackSetId"] == identity
    assert (held["Status"], held["PermissionModel"], held["Description"]) == ("ACTIVE", "SERVICE_MANAGED", "for a test")
    assert held["TemplateBody"] == GROUP
    assert as_map(held["Tags"]) == {"owner": "test"}
    assert {p["ParameterKey"]: p["ParameterValue"] for p in held["Parameters"]} == {"Name": stack_set.name, "Days": "30"}
    assert held["StackSetARN"] == f"arn:aws:cloudformation:us-east-1:{aws.management}:stackset/{identity}"
    assert stack_set.instances() == []


@moto_deviates("neither is kept", decides=API + "API_StackSet.html")
def test_a_set_keeps_its_capabilities_and_how_it_deploys(stack_set):
    stack_set.create(
        Capabilities=["CAPABILITY_NAMED_IAM"],
        AutoDeployment={"Enabled": True, "RetainStacksOnAccountRemoval": False},
        ManagedExecution={"Active": True},
    )
    held = stack_set.client.describe_stack_set(StackSetName=stack_set.name)["StackSet"]
    assert held["Capabilities"] == ["CAPABILITY_NAMED_IAM"]
    assert held["AutoDeployment"] == {"Enabled": True, "RetainStacksOnAccountRemoval": False}
    assert held["ManagedExecution"] == {"Active": True}


def test_active_sets_are_listed(stack_set):
    stack_set.create()
    pages = stack_set.client.get_paginator("list_stack_sets").paginate(Status="ACTIVE")
    assert stack_set.name in [s["StackSetName"] for page in pages for s in page["Summaries"]]


def test_what_is_not_there_is_not_found(stack_set):
    assert error(stack_set.client.describe_stack_set, StackSetName="conformance-none") == "StackSetNotFoundException"
    call = stack_set.client.update_stack_set
    assert error(call, StackSetName="conformance-none", TemplateBody=GROUP) == "StackSetNotFoundException"


@moto_deviates("a second set of that name is made", decides=API + "API_CreateStackSet.html")
def test_names_are_taken_once(stack_set):
    stack_set.create()
    assert error(stack_set.create, Description="another") == "NameAlreadyExistsException"


def test_a_set_is_seen_from_its_region_only(aws, stack_set):
    stack_set.create()
    call = aws.client("cloudformation", region="eu-west-1").describe_stack_set
    assert error(call, StackSetName=stack_set.name) == "StackSetNotFoundException"


@moto_deviates("members may have service-managed sets", decides=GUIDE + "stacksets-orgs.html")
def test_a_member_has_no_service_managed_sets(aws, stack_set):
    member = aws.client("cloudformation", "dev-1")
    assert error(member.create_stack_set, **{**stack_set.arguments, "StackSetName": "of-a-member"}) == "ValidationError"


def test_instances_reach_every_account_of_a_unit_in_every_region(aws, stack_set):
    stack_set.create()
    operation = stack_set.deploy(stack_set.target("Workloads/Prod"), regions=["us-east-1", "eu-west-1"])
    assert operation["Status"] == "SUCCEEDED"
    assert operation["Action"] == "CREATE"
    reached = [aws.accounts[name] for name in ("prod-1", "prod-2", "prod-3")]
    places = stack_set.places()
    assert {(account, region) for account in reached for region in ("us-east-1", "eu-west-1")} <= set(places)
    assert {i["Status"] for i in stack_set.instances()} == {"CURRENT"}
    for account in ("prod-1", "prod-3"):
        for region in ("us-east-1", "eu-west-1"):
            assert stack_set.retention(account, region) == [30]
    assert stack_set.retention("dev-1") == []


def test_units_include_the_units_below_them(aws, stack_set):
    stack_set.create()
    stack_set.deploy(stack_set.target("Workloads"))
    accounts = {account for account, _ in stack_set.places()}
    assert {aws.accounts[name] for name in ("dev-1", "staging-1", "prod-1")} <= accounts
    assert aws.accounts["ai-hub"] not in accounts


@moto_deviates("it is deployed to as well", decides=GUIDE + "stacksets-orgs-manage-auto-deployment.html")
def test_the_management_account_is_never_deployed_to(aws, stack_set):
    stack_set.create()
    stack_set.deploy({"OrganizationalUnitIds": [aws.root]})
    assert aws.management not in {account for account, _ in stack_set.places()}


@moto_deviates("the whole unit is taken", decides=API + "API_DeploymentTargets.html")
@pytest.mark.parametrize(
    ("kind", "named", "reached"),
    [
        ("INTERSECTION", ["dev-1", "prod-1"], {"dev-1"}),
        ("DIFFERENCE", ["dev-1"], {"dev-2", "dev-3"}),
    ],
)
def test_accounts_narrow_a_unit(aws, stack_set, kind, named, reached):
    stack_set.create()
    stack_set.deploy(stack_set.target("Workloads/Dev", accounts=named, kind=kind))
    assert {account for account, _ in stack_set.places()} == {aws.accounts[name] for name in reached}


@moto_deviates("UNION is taken", decides=API + "API_DeploymentTargets.html")
def test_union_is_not_for_new_instances(stack_set):
    stack_set.create()
    call = stack_set.client.create_stack_instances
    targets = stack_set.target("Workloads/Dev", accounts=["prod-1"], kind="UNION")
    code = error(call, StackSetName=stack_set.name, DeploymentTargets=targets, Regions=["us-east-1"])
    assert code == "ValidationError"


def test_service_managed_sets_take_units_and_not_bare_accounts(aws, stack_set):
    stack_set.create()
    call = stack_set.client.create_stack_instances
    code = error(call, StackSetName=stack_set.name, Accounts=[aws.accounts["dev-1"]], Regions=["us-east-1"])
    assert code == "ValidationError"


@moto_deviates("operations get another id", decides=API + "API_CreateStackInstances.html")
def test_an_operation_has_the_id_that_it_was_given(stack_set):
    stack_set.create()
    operation = stack_set.deploy(stack_set.target("Workloads/Staging"), OperationId="conformance-the-id")
    assert operation["OperationId"] == "conformance-the-id"
    listed = stack_set.client.list_stack_set_operations(StackSetName=stack_set.name)["Summaries"]
    assert [o["OperationId"] for o in listed] == ["conformance-the-id"]


@moto_deviates("there are no rows", decides=API + "API_ListStackSetOperationResults.html")
def test_an_operation_has_one_row_per_account_and_region(aws, stack_set):
    stack_set.create()
    operation = stack_set.deploy(stack_set.target("Workloads/Staging"))
    found = stack_set.rows(operation, 2)
    assert {r["Account"] for r in found} == {aws.accounts["staging-1"], aws.accounts["staging-2"]}
    assert {r["Status"] for r in found} == {"SUCCEEDED"}
    assert {r["OrganizationalUnitId"] for r in found} == {aws.units["Workloads/Staging"]}


@moto_deviates("instances know neither unit nor operation", decides=API + "API_StackInstanceSummary.html")
def test_an_instance_knows_where_it_came_from(aws, stack_set):
    stack_set.create()
    operation = stack_set.deploy(stack_set.target("Workloads/Staging"))
    for instance in stack_set.instances():
        assert instance["OrganizationalUnitId"] == aws.units["Workloads/Staging"]
        assert instance["LastOperationId"] == operation["OperationId"]
        assert instance["StackInstanceStatus"]["DetailedStatus"] == "SUCCEEDED"
        assert f":{instance['Account']}:stack/StackSet-{stack_set.name}-" in instance["StackId"]


@moto_deviates("its stacks are hidden", decides=GUIDE + "what-is-cfnstacksets.html")
def test_an_instance_is_a_stack_of_its_account(aws, stack_set):
    stack_set.create(Tags=tags({"owner": "test"}))
    stack_set.deploy(stack_set.target("Workloads/Staging"))
    instance = next(i for i in stack_set.instances() if i["Account"] == aws.accounts["staging-1"])
    stacks = aws.client("cloudformation", "staging-1").describe_stacks(StackName=instance["StackId"])["Stacks"]
    assert stacks[0]["StackStatus"] == "CREATE_COMPLETE"
    assert as_map(stacks[0]["Tags"])["owner"] == "test"


def test_instances_that_are_there_already_are_no_error(stack_set):
    stack_set.create()
    stack_set.deploy(stack_set.target("Workloads/Staging"))
    before = stack_set.places()
    assert stack_set.deploy(stack_set.target("Workloads/Staging"))["Status"] == "SUCCEEDED"
    assert stack_set.places() == before


@moto_deviates("a missing instance is an internal error", decides=API + "API_DescribeStackInstance.html")
def test_a_missing_instance_is_not_found(aws, stack_set):
    stack_set.create()
    call = stack_set.client.describe_stack_instance
    code = error(call, StackSetName=stack_set.name, StackInstanceAccount=aws.accounts["dev-1"], StackInstanceRegion="us-east-1")
    assert code == "StackInstanceNotFoundException"


@moto_deviates("the operation's id is a stack's", decides=API + "API_DescribeStackSetOperation.html")
def test_a_missing_operation_is_not_found(stack_set):
    stack_set.create()
    call = stack_set.client.describe_stack_set_operation
    assert error(call, StackSetName=stack_set.name, OperationId="conformance-none") == "OperationNotFoundException"


@moto_deviates("members stay as they are", decides=API + "API_UpdateStackSet.html")
def test_an_update_reaches_the_members(aws, stack_set):
    stack_set.create()
    stack_set.deploy(stack_set.target("Workloads/Staging"))
    answer = stack_set.client.update_stack_set(
        StackSetName=stack_set.name,
        UsePreviousTemplate=True,
        Parameters=parameters({"Name": stack_set.name, "Days": "60"}),
    )
    assert stack_set.finish(answer)["Status"] == "SUCCEEDED"
    assert stack_set.retention("staging-1") == [60]
    assert stack_set.retention("staging-2") == [60]


@moto_deviates("overrides stand alone, and updates change nothing", decides=API + "API_UpdateStackInstances.html")
def test_overrides_are_for_some_and_outlive_an_update(aws, stack_set):
    stack_set.create()
    stack_set.deploy(stack_set.target("Workloads/Staging"))
    answer = stack_set.client.update_stack_instances(
        StackSetName=stack_set.name,
        DeploymentTargets=stack_set.target("Workloads/Staging", accounts=["staging-1"]),
        Regions=["us-east-1"],
        ParameterOverrides=parameters({"Days": "90"}),
    )
    stack_set.finish(answer)
    assert (stack_set.retention("staging-1"), stack_set.retention("staging-2")) == ([90], [30])
    instance = stack_set.client.describe_stack_instance(
        StackSetName=stack_set.name, StackInstanceAccount=aws.accounts["staging-1"], StackInstanceRegion="us-east-1"
    )["StackInstance"]
    assert instance["ParameterOverrides"] == parameters({"Days": "90"})
    answer = stack_set.client.update_stack_set(
        StackSetName=stack_set.name,
        UsePreviousTemplate=True,
        Parameters=parameters({"Name": stack_set.name, "Days": "60"}),
    )
    stack_set.finish(answer)
    assert (stack_set.retention("staging-1"), stack_set.retention("staging-2")) == ([90], [60])


def test_a_set_with_instances_is_not_deleted(stack_set):
    stack_set.create()
    stack_set.deploy(stack_set.target("Workloads/Staging"))
    assert error(stack_set.client.delete_stack_set, StackSetName=stack_set.name) == "StackSetNotEmptyException"


@moto_deviates("nothing is deleted by unit", decides=API + "API_DeleteStackInstances.html")
def test_instances_are_deleted_by_unit(stack_set):
    stack_set.create()
    stack_set.deploy(stack_set.target("Workloads/Staging"))
    answer = stack_set.client.delete_stack_instances(
        StackSetName=stack_set.name,
        DeploymentTargets=stack_set.target("Workloads/Staging"),
        Regions=["us-east-1"],
        RetainStacks=False,
    )
    assert stack_set.finish(answer)["Status"] == "SUCCEEDED"
    assert stack_set.places() == []
    assert stack_set.retention("staging-1") == []


def test_a_deleted_set_is_gone(stack_set):
    stack_set.create()
    stack_set.client.delete_stack_set(StackSetName=stack_set.name)
    assert error(stack_set.client.describe_stack_set, StackSetName=stack_set.name) == "StackSetNotFoundException"


@moto_deviates("a failing instance fails the call", decides=API + "API_StackSetOperation.html")
def test_a_failing_account_fails_the_operation_and_is_named(aws, stack_set):
    stack_set.create()
    taken = f"/conformance/{stack_set.name}"
    aws.client("logs", "staging-1").create_log_group(logGroupName=taken)
    operation = stack_set.deploy(stack_set.target("Workloads/Staging", accounts=["staging-1"]))
    assert operation["Status"] == "FAILED"
    row = stack_set.rows(operation, 1)[0]
    assert (row["Account"], row["Status"]) == (aws.accounts["staging-1"], "FAILED")
    assert "already exists" in row["StatusReason"]
    assert [i["Status"] for i in stack_set.instances()] == ["OUTDATED"]
    aws.client("logs", "staging-1").delete_log_group(logGroupName=taken)


@moto_deviates("tolerance is not looked at", decides=API + "API_StackSetOperationPreferences.html")
def test_failures_within_the_tolerance_leave_the_operation_succeeded(aws, stack_set):
    stack_set.create()
    taken = f"/conformance/{stack_set.name}"
    aws.client("logs", "staging-1").create_log_group(logGroupName=taken)
    operation = stack_set.deploy(
        stack_set.target("Workloads/Staging"),
        OperationPreferences={"FailureToleranceCount": 1, "MaxConcurrentCount": 2},
    )
    assert operation["Status"] == "SUCCEEDED"
    assert operation["StatusDetails"]["FailedStackInstancesCount"] == 1
    assert stack_set.retention("staging-2") == [30]
    aws.client("logs", "staging-1").delete_log_group(logGroupName=taken)


@moto_deviates("operations end at once", decides=API + "API_CreateStackInstances.html")
def test_one_operation_at_a_time(stack_set):
    stack_set.create()
    call = stack_set.client.create_stack_instances
    arguments = {"StackSetName": stack_set.name, "Regions": ["us-east-1", "eu-west-1"]}
    first = call(**arguments, DeploymentTargets=stack_set.target("Workloads"))
    second = error(call, **arguments, DeploymentTargets=stack_set.target("Infrastructure"))
    assert second == "OperationInProgressException"
    stack_set.finish(first)


@moto_deviates("any length is taken", decides=API + "API_CreateStackSet.html")
def test_names_have_a_pattern(stack_set):
    assert error(stack_set.create, StackSetName="1-begins-with-a-digit") == "ValidationError"
    assert error(stack_set.create, StackSetName="x" * 129) == "ValidationError"


@moto_deviates("it is taken", decides=GUIDE + "cloudformation-limits.html")
def test_a_body_has_at_most_51200_bytes(stack_set):
    assert error(stack_set.create, TemplateBody=GROUP + "#" + "x" * 51_200) == "ValidationError"
