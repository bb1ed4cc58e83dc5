"""Prints all that a rollout could have changed on the moto server at MOTO_URL, as JSON: two equal snapshots mean that
nothing was changed between them. SEED is what seed.py printed."""

import json
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "checks"))

from conftest import REGIONS, World  # noqa: E402


def snapshot(world):
    cloudformation = world.client("cloudformation")
    members = {}
    for account in [*world.members(), world.seed["accounts"]["ai-hub"]]:
        for region in REGIONS:
            stacks = world.client("cloudformation", account, region)
            members[f"{account}/{region}"] = {
                "logging": world.client("bedrock", account, region)
                .get_model_invocation_logging_configuration()
                .get("loggingConfig"),
                "events": [
                    event["EventId"]
                    for stack in stacks.describe_stacks()["Stacks"]
                    for event in stacks.describe_stack_events(StackName=stack["StackName"])["StackEvents"]
                ],
            }
    return {
        "policies": world.policies(),
        "stackSets": {
            name: {
                "parameters": stack_set["Parameters"],
                "tags": stack_set["Tags"],
                "template": stack_set["TemplateBody"],
                "operations": [
                    operation["OperationId"]
                    for operation in cloudformation.list_stack_set_operations(StackSetName=name)["Summaries"]
                ],
            }
            for name, stack_set in world.stack_sets().items()
        },
        "members": members,
    }


if __name__ == "__main__":
    print(json.dumps(snapshot(World(os.environ["MOTO_URL"], json.loads(os.environ["SEED"]))), sort_keys=True))
