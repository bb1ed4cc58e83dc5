"""Brings records to CloudWatch Logs from a thread of its own: in batches, with retries, never in the caller's way."""

import json
import logging
import os
import queue
import random
import threading
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

log = logging.getLogger(__name__)

# Limits of PutLogEvents (CloudWatch Logs API reference); an event counts 26 bytes more than its message.
BATCH_EVENTS = 10_000
BATCH_BYTES = 1_048_576
EVENT_OVERHEAD = 26
# 256 KiB was the limit of an event until 2025, and is plenty for a record that others are to read.
EVENT_BYTES = 262_144 - EVENT_OVERHEAD
BATCH_SPAN_MS = 24 * 60 * 60 * 1000

# What a record loses first when it is too long.
CONTENT_FIELDS = ("prompt", "completion", "errorMessage")

# Answers that another attempt does not change.
FINAL = frozenset({"AccessDeniedException", "InvalidParameterException", "UnrecognizedClientException"})


class LogsClient(Protocol):
    """The two calls that are made."""

    def put_log_events(self, *, logGroupName: str, logStreamName: str, logEvents: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]: ...

    def create_log_stream(self, *, logGroupName: str, logStreamName: str) -> Any: ...


@dataclass(frozen=True)
class _Event:
    at: int
    message: str
    size: int
    # Records that are gone when this event is.
    stands_for: int = 1


class Delivery:
    """A bounded queue and the thread that empties it.

    `put` never waits and never raises. What finds no room, or cannot be delivered after `attempts`, is counted, and the
    count is a record of its own in the next batch.
    """

    def __init__(
        self,
        log_group: str,
        *,
        client: LogsClient | None = None,
        log_stream: str | None = None,
        capacity: int = 10_000,
        interval: float = 2.0,
        attempts: int = 6,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._group = log_group
        self._stream = log_stream or f"{os.environ.get('AWS_LAMBDA_FUNCTION_NAME', 'langchain')}/{uuid.uuid4()}"
        self._client = client
        self._queue: queue.Queue[_Event] = queue.Queue(maxsize=capacity)
        self._interval = interval
        self._attempts = attempts
        self._pause = pause
        self._lock = threading.Lock()
        self._sending = threading.Lock()
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None
        self._closed = False
        self._dropped = 0
        self._carried: _Event | None = None

    @property
    def dropped(self) -> int:
        """Records that were lost and have not been reported yet."""
        return self._dropped

    def put(self, record: Mapping[str, Any]) -> bool:
        """Takes a record along; False if it is lost."""
        try:
            event = _event(record)
            with self._lock:
                if self._closed:
                    return False
                if self._thread is None or not self._thread.is_alive():
                    # A process that was forked has the queue, but not the thread.
                    self._thread = threading.Thread(target=self._run, name="bedrail-callback", daemon=True)
                    self._thread.start()
            self._queue.put_nowait(event)
        except Exception:  # the chain goes on whatever happens here
            self._lose(1)
            return False
        return True

    def flush(self, timeout: float = 10.0) -> bool:
        """Sends what is there, in the calling thread: a Lambda function's own threads stand still once it has answered.

        False if something is left after `timeout` seconds, or could not be sent.
        """
        end = time.monotonic() + timeout
        while not self._queue.empty() or self._carried is not None or self._dropped:
            if time.monotonic() >= end or not self._send(end):
                return False
        # A batch may be under way in the other thread.
        if not self._sending.acquire(timeout=max(0.0, end - time.monotonic())):
            return False
        self._sending.release()
        return True

    def close(self, timeout: float = 10.0) -> bool:
        """Flushes and takes nothing more."""
        with self._lock:
            self._closed = True
        self._wake.set()
        return self.flush(timeout)

    def _run(self) -> None:
        while not self._closed:
            self._wake.wait(self._interval)
            while not self._closed and (not self._queue.empty() or self._carried is not None):
                try:
                    self._send(None)
                except Exception:
                    log.warning("model call records cannot be sent", exc_info=True)

    def _send(self, end: float | None) -> bool:
        """One batch; False if it was lost."""
        wait = -1.0 if end is None else max(0.0, end - time.monotonic())
        if not self._sending.acquire(timeout=wait):
            return False
        try:
            batch = self._batch()
            if not batch:
                return True
            if self._deliver(batch, end):
                return True
            self._lose(sum(event.stands_for for event in batch))
            return False
        finally:
            self._sending.release()

    def _batch(self) -> list[_Event]:
        batch: list[_Event] = []
        size = 0
        with self._lock:
            lost, self._dropped = self._dropped, 0
        if lost:
            note = replace(_event({"event": "recordsLost", "time": _now(), "count": lost}), stands_for=lost)
            batch.append(note)
            size += note.size
        while len(batch) < BATCH_EVENTS:
            event = self._carried
            self._carried = None
            if event is None:
                try:
                    event = self._queue.get_nowait()
                except queue.Empty:
                    break
            span = abs(event.at - batch[0].at) if batch else 0
            if batch and (size + event.size > BATCH_BYTES or span >= BATCH_SPAN_MS):
                self._carried = event
                break
            batch.append(event)
            size += event.size
        # PutLogEvents wants them in order of time.
        batch.sort(key=lambda event: event.at)
        return batch

    def _deliver(self, batch: list[_Event], end: float | None) -> bool:
        events = [{"timestamp": event.at, "message": event.message} for event in batch]
        for attempt in range(self._attempts):
            try:
                answer = self._logs().put_log_events(logGroupName=self._group, logStreamName=self._stream, logEvents=events)
                self._rejected(answer.get("rejectedLogEventsInfo") or {}, len(events))
                return True
            except Exception as error:
                code = error_code(error)
                if code == "ResourceNotFoundException":
                    self._make_stream()
                    if attempt == 0:
                        continue
                if code in FINAL:
                    log.warning("model call records are refused: %s", code)
                    return False
                wait = random.uniform(0.5, 1.0) * min(0.2 * 2**attempt, 10.0)
                if attempt + 1 == self._attempts or (end is not None and time.monotonic() + wait > end):
                    log.warning("model call records cannot be sent: %s", code or type(error).__name__)
                    return False
                self._pause(wait)
        return False

    def _rejected(self, info: Mapping[str, int], count: int) -> None:
        lost = max(info.get("tooOldLogEventEndIndex", 0), info.get("expiredLogEventEndIndex", 0))
        if "tooNewLogEventStartIndex" in info:
            lost += count - info["tooNewLogEventStartIndex"]
        if lost:
            self._lose(lost)

    def _make_stream(self) -> None:
        try:
            self._logs().create_log_stream(logGroupName=self._group, logStreamName=self._stream)
        except Exception as error:
            if error_code(error) != "ResourceAlreadyExistsException":
                log.warning("the log stream cannot be made: %s", error_code(error) or type(error).__name__)

    def _logs(self) -> LogsClient:
        if self._client is None:
            import boto3
            from botocore.config import Config

            # Attempts are made here, so that an end can be put to them.
            settings = Config(connect_timeout=3, read_timeout=10, retries={"total_max_attempts": 1})
            self._client = boto3.client("logs", config=settings)
        client: LogsClient = self._client
        return client

    def _lose(self, count: int) -> None:
        with self._lock:
            self._dropped += count


def error_code(error: BaseException) -> str | None:
    """The code of an error that an AWS service answered with."""
    answer = getattr(error, "response", None)
    if isinstance(answer, Mapping):
        code = answer.get("Error", {}).get("Code")
        return str(code) if code else None
    return None


def _now() -> int:
    return time.time_ns() // 1_000_000


def _event(record: Mapping[str, Any]) -> _Event:
    message = _dump(record)
    if len(message.encode()) > EVENT_BYTES:
        message = _dump({key: value for key, value in record.items() if key not in CONTENT_FIELDS} | {"truncated": True})
    size = len(message.encode())
    if size > EVENT_BYTES:
        raise ValueError("a record is too long for an event of CloudWatch Logs")
    return _Event(at=int(record.get("time") or _now()), message=message, size=size + EVENT_OVERHEAD)


def _dump(record: Mapping[str, Any]) -> str:
    return json.dumps(record, ensure_ascii=False, separators=(",", ":"), default=str)
