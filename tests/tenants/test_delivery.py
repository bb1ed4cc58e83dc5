"""The way of records to CloudWatch Logs: moto's for the real calls, a scripted one for its bad days."""

import json
import threading
import time
from datetime import UTC, datetime, timedelta

import boto3
import pytest
from bedrail_callback import CallbackHandler, Delivery, operations_session
from bedrail_callback.delivery import BATCH_BYTES, BATCH_EVENTS, EVENT_OVERHEAD
from botocore.exceptions import ClientError
from langchain_core.language_models.fake_chat_models import FakeListChatModel
from moto import mock_aws

from conftest import Logs


def error(code):
    return ClientError({"Error": {"Code": code, "Message": ""}}, "PutLogEvents")


def quiet(logs, **more):
    """A delivery whose thread does nothing for the time of a test."""
    return Delivery("group", client=logs, interval=3600, pause=lambda seconds: None, **more)


def messages(logs):
    return [json.loads(event["message"]) for batch in logs.batches for event in batch]


@mock_aws
def test_records_of_a_chain_arrive_in_cloudwatch_logs():
    client = boto3.client("logs")
    client.create_log_group(logGroupName="/bedrail/model-calls")
    delivery = Delivery("/bedrail/model-calls", log_stream="one")
    FakeListChatModel(responses=["x", "y"]).batch(["a", "b"], {"callbacks": [CallbackHandler(delivery, application_id="shop")]})
    assert delivery.close()
    events = client.get_log_events(logGroupName="/bedrail/model-calls", logStreamName="one")["events"]
    assert [json.loads(event["message"])["applicationId"] for event in events] == ["shop", "shop"]


@mock_aws
def test_a_log_group_that_is_not_there_costs_records_and_nothing_else():
    delivery = Delivery("/bedrail/missing", pause=lambda seconds: None, interval=3600)
    assert delivery.put({"event": "modelCall"})
    assert not delivery.flush()
    assert delivery.dropped == 1


def test_the_thread_sends_without_being_asked():
    sent = threading.Event()

    class Told(Logs):
        def put_log_events(self, **arguments):
            sent.set()
            return {}

    Delivery("group", client=Told(), interval=0.01).put({"event": "modelCall"})
    assert sent.wait(10)


def test_a_caller_never_waits_for_aws():
    let_go, inside = threading.Event(), threading.Event()

    class Slow(Logs):
        def put_log_events(self, **arguments):
            inside.set()
            let_go.wait(30)
            return super().put_log_events(**arguments)

    logs = Slow()
    delivery = Delivery("group", client=logs, interval=0.001, capacity=5)
    first = delivery.put({"event": "modelCall"})
    assert inside.wait(10)
    began = time.monotonic()
    taken = [first] + [delivery.put({"event": "modelCall", "number": number}) for number in range(1000)]
    assert time.monotonic() - began < 5
    assert taken.count(True) < 1000 and delivery.dropped == taken.count(False)
    assert not delivery.flush(timeout=0.01)
    let_go.set()
    assert delivery.close(20)
    records = messages(logs)
    assert sum(record["event"] == "modelCall" for record in records) == taken.count(True)
    # The loss itself is on record.
    assert sum(record.get("count", 0) for record in records) == taken.count(False)


@pytest.mark.parametrize("code", ["ThrottlingException", "ServiceUnavailableException", "InternalFailure", None])
def test_what_can_pass_is_tried_again(code):
    logs = Logs(*[error(code) if code else ConnectionError()] * 3)
    delivery = quiet(logs)
    delivery.put({"event": "modelCall"})
    assert delivery.flush() and len(messages(logs)) == 1


def test_what_cannot_pass_is_not():
    logs = Logs(error("AccessDeniedException"))
    delivery = quiet(logs)
    delivery.put({"event": "modelCall"})
    assert not delivery.flush() and delivery.dropped == 1
    # The next batch says so.
    delivery.put({"event": "modelCall"})
    assert delivery.flush()
    assert [(record["event"], record.get("count")) for record in messages(logs)] == [("recordsLost", 1), ("modelCall", None)]


def test_attempts_have_an_end_and_lost_counts_are_kept():
    logs = Logs(*[error("ThrottlingException")] * 6)
    delivery = quiet(logs, attempts=3)
    delivery.put({"event": "modelCall"})
    assert not delivery.flush()
    delivery.put({"event": "modelCall"})
    assert not delivery.flush()
    assert delivery.dropped == 2
    assert delivery.flush() and messages(logs)[0]["count"] == 2


def test_a_missing_stream_is_made():
    logs = Logs(error("ResourceNotFoundException"))
    delivery = quiet(logs, log_stream="one")
    delivery.put({"event": "modelCall"})
    assert delivery.flush() and logs.streams == [("group", "one")]


def test_batches_keep_to_the_limits_of_put_log_events():
    logs = Logs()
    delivery = quiet(logs, capacity=50_000)
    for number in range(BATCH_EVENTS + 5):
        delivery.put({"event": "modelCall", "time": 1_700_000_000_000 + number})
    for number in range(20):
        delivery.put({"event": "modelCall", "time": 1_700_000_000_000 + number, "prompt": "x" * 200_000})
    delivery.put({"event": "modelCall", "time": 1_700_000_000_000 + 25 * 3_600_000})
    assert delivery.flush()
    for batch in logs.batches:
        assert len(batch) <= BATCH_EVENTS
        assert sum(len(event["message"].encode()) + EVENT_OVERHEAD for event in batch) <= BATCH_BYTES
        times = [event["timestamp"] for event in batch]
        assert times == sorted(times) and times[-1] - times[0] < 24 * 3_600_000
    assert len(messages(logs)) == BATCH_EVENTS + 26


def test_a_record_that_is_too_long_loses_its_content():
    logs = Logs()
    delivery = quiet(logs)
    delivery.put({"event": "modelCall", "totalTokens": 3, "prompt": "ü" * 300_000})
    assert delivery.flush()
    assert messages(logs) == [{"event": "modelCall", "totalTokens": 3, "truncated": True}]


def test_events_that_aws_rejects_are_counted():
    logs = Logs()
    logs.answers.append({"rejectedLogEventsInfo": {"expiredLogEventEndIndex": 1, "tooNewLogEventStartIndex": 3}})
    delivery = quiet(logs)
    for _ in range(4):
        delivery.put({"event": "modelCall"})
    assert delivery.flush()
    assert messages(logs)[-1]["count"] == 2


def test_after_closing_nothing_is_taken():
    logs = Logs()
    delivery = quiet(logs)
    assert delivery.close()
    assert not delivery.put({"event": "modelCall"})


@mock_aws
def test_the_session_is_renewed_before_its_hour_is_over(monkeypatch):
    from botocore import credentials

    session = operations_session("arn:aws:iam::210987654321:role/bedrail-tenant-acme", external_id="0123456789abcdef", tenant="acme", region="eu-west-1")
    asked = []
    real = credentials.AssumeRoleCredentialFetcher._get_credentials

    def count(self):
        asked.append(dict(self._assume_kwargs))
        return real(self)

    monkeypatch.setattr(credentials.AssumeRoleCredentialFetcher, "_get_credentials", count)
    assert session.client("sts").get_caller_identity()["Account"] == "210987654321"
    session.client("sts").get_caller_identity()
    assert len(asked) == 1
    assert asked[0] | {"Tags": None} == {
        "RoleArn": "arn:aws:iam::210987654321:role/bedrail-tenant-acme",
        "RoleSessionName": "langchain",
        "ExternalId": "0123456789abcdef",
        "DurationSeconds": 3600,
        "Tags": None,
    }
    assert asked[0]["Tags"] == [{"Key": "tenant", "Value": "acme"}]

    # botocore asks anew from a quarter of an hour before the end.
    for minutes, times in ((40, 1), (50, 2)):
        later = lambda minutes=minutes: datetime.now(UTC) + timedelta(minutes=minutes)  # noqa: E731
        monkeypatch.setattr(credentials, "_local_now", later)
        monkeypatch.setattr(session.get_credentials(), "_time_fetcher", later)
        session.client("sts").get_caller_identity()
        assert len(asked) >= times
