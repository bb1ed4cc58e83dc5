import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "templates" / "tenants" / "callback"
sys.path.insert(0, str(PACKAGE))


class Logs:
    """CloudWatch Logs as far as it is called, with the errors that it is to answer with first."""

    def __init__(self, *errors):
        self.errors = list(errors)
        self.batches = []
        self.streams = []
        self.answers = []

    def put_log_events(self, *, logGroupName, logStreamName, logEvents):
        if self.errors:
            raise self.errors.pop(0)
        self.batches.append(list(logEvents))
        return self.answers.pop(0) if self.answers else {}

    def create_log_stream(self, *, logGroupName, logStreamName):
        self.streams.append((logGroupName, logStreamName))


@pytest.fixture
def logs():
    return Logs()


@pytest.fixture(autouse=True)
def account(monkeypatch):
    for name, value in {"AWS_ACCESS_KEY_ID": "AKIATEST", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "eu-west-1"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("_X_AMZN_TRACE_ID", raising=False)
