"""After LogRetentionDays of dev has become 60.

moto does not carry an update on to the members (DEVIATIONS.md), so it is the StackSet that is looked at.
"""


def retention(world):
    return {
        name: {p["ParameterKey"]: p["ParameterValue"] for p in stack_set["Parameters"]}["LogRetentionDays"]
        for name, stack_set in world.stack_sets().items()
    }


def operations(world, environment):
    answer = world.client("cloudformation").list_stack_set_operations(
        StackSetName=f"bedrail-reduced-invocation-logging-{environment}"
    )
    return [operation["Action"] for operation in answer["Summaries"]]


def test_only_the_stack_set_of_that_environment_has_the_new_value(world):
    assert retention(world) == {
        "bedrail-reduced-invocation-logging-dev": "60",
        "bedrail-reduced-invocation-logging-staging": "180",
        "bedrail-reduced-invocation-logging-prod": "2557",
    }


def test_no_operation_ran_in_the_other_environments(world):
    assert "UPDATE" in operations(world, "dev")
    assert "UPDATE" not in operations(world, "staging")
    assert "UPDATE" not in operations(world, "prod")
