"""The same calls, by boto3 and the AWS CLI, against the sandbox and against moto.

Every test that takes the fixture `aws` runs once per server and says what AWS does. The sandbox has to pass all of
them. Where moto leaves AWS, the test says so with `@moto_deviates(how, decides=…)`: `decides` names the AWS document
that settles it, and moto then has to fail, so that a line here is struck out once moto follows.

SANDBOX_URL and MOTO_URL are the two servers, started empty of StackSets and policies for each run. SERVERS=sandbox
leaves the other one out while something is being worked on.
"""

import os

import pytest
from worlds import Aws, make_moto_organization

SERVERS = os.environ.get("SERVERS", "sandbox,moto").split(",")


def pytest_configure(config):
    config.addinivalue_line("markers", "moto_deviates(how, decides): what moto does, and the AWS document that decides")


def pytest_collection_modifyitems(items):
    for item in items:
        if getattr(item, "callspec", None) is None or item.callspec.params.get("aws") != "moto":
            continue
        for marker in item.iter_markers("moto_deviates"):
            reason = f"moto: {marker.kwargs['how']} (decides: {marker.kwargs['decides']})"
            item.add_marker(pytest.mark.xfail(reason=reason, strict=True))


@pytest.fixture(scope="session")
def servers():
    """Both servers, each with an organization of the same shape."""
    urls = {name: os.environ.get(f"{name.upper()}_URL") for name in SERVERS}
    missing = [f"{name.upper()}_URL" for name, url in urls.items() if not url]
    assert not missing, f"set {', '.join(missing)} to the address of a running server"
    if "moto" in urls:
        make_moto_organization(urls["moto"])
    return {name: Aws(name, url) for name, url in urls.items()}


@pytest.fixture(params=SERVERS)
def aws(request, servers):
    return servers[request.param]
