"""Changes what a rollout made on the moto server at MOTO_URL, as somebody at a console would, and prints where. SEED is what seed.py
printed."""

import json
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "checks"))

from conftest import World  # noqa: E402

HOME = "us-east-1"


def change(world):
    organizations = world.client("organizations")
    policy = next(
        policy
        for policy in organizations.list_policies(Filter="SERVICE_CONTROL_POLICY")["Policies"]
        if "approved-models-dev" in policy["Name"]
    )
    target = organizations.list_targets_for_policy(PolicyId=policy["Id"])["Targets"][0]
    organizations.detach_policy(PolicyId=policy["Id"], TargetId=target["TargetId"])

    silent, keyless = world.seed["accounts"]["dev-1"], world.seed["accounts"]["dev-2"]
    world.client("bedrock", silent, HOME).delete_model_invocation_logging_configuration()
    kms = world.client("kms", keyless, HOME)
    key = next(
        alias["TargetKeyId"]
        for alias in kms.list_aliases()["Aliases"]
        if alias["AliasName"] == f"alias/bedrail-bedrock-{HOME}"
    )
    kms.disable_key(KeyId=key)
    return {"silent": silent, "keyless": keyless}


if __name__ == "__main__":
    print(json.dumps(change(World(os.environ["MOTO_URL"], json.loads(os.environ["SEED"])))))
