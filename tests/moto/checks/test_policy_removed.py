"""After protect-invocation-logging has been taken out of the file."""

from conftest import ENVIRONMENTS


def test_the_removed_policy_is_gone_and_the_other_is_not(world):
    components = {policy["component"] for policy in world.policies().values()}
    assert components == {"approved-models"}


def test_it_is_detached_from_every_unit(world):
    organizations = world.client("organizations")
    for unit in ENVIRONMENTS.values():
        attached = organizations.list_policies_for_target(
            TargetId=world.seed["units"][unit], Filter="SERVICE_CONTROL_POLICY"
        )["Policies"]
        assert len(attached) == 2, "FullAWSAccess and approved-models"
