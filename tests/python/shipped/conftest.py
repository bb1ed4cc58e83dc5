"""Looks from outside, with boto3, at a sandbox that the shipped rollout was rolled out to: SANDBOX_URL."""

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "conformance"))

from worlds import Aws  # noqa: E402


@pytest.fixture(scope="session")
def aws():
    return Aws("sandbox", os.environ["SANDBOX_URL"])
