"""The callback handler: one record for each model call."""

import functools
import logging
import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar, cast
from uuid import UUID

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, LLMResult

from .delivery import Delivery, error_code

log = logging.getLogger(__name__)

# Calls that began and never ended (a process that was stopped in between) are forgotten beyond this number.
OPEN_RUNS = 10_000

# Of metadata, in the order of preference.
MODEL_KEYS = ("model_id", "base_model_id", "model", "model_name")

F = TypeVar("F", bound=Callable[..., None])


def _harmless(method: F) -> F:
    """Whatever goes wrong with a record, the chain does not notice."""

    @functools.wraps(method)
    def call(*arguments: Any, **named: Any) -> None:
        try:
            method(*arguments, **named)
        except Exception:
            log.warning("a model call could not be recorded", exc_info=True)

    return cast(F, call)


class _Open:
    """A call that has begun."""

    __slots__ = ("began", "first_token", "model", "metadata", "name", "prompt", "root")

    def __init__(self, root: str, model: str | None, metadata: Mapping[str, Any], name: str | None, prompt: Any) -> None:
        self.began = time.monotonic()
        self.first_token: float | None = None
        self.root = root
        self.model = model
        self.metadata = metadata
        self.name = name
        self.prompt = prompt


class CallbackHandler(BaseCallbackHandler):
    """Writes a record of each model call: token use, latency, model, user, application, error, trace.

    `user_id` and `application_id` hold for all calls; a call's own `metadata={"user_id": …, "application_id": …}` goes
    before them. Prompts, completions and the words of errors are left out unless `content` is True. With `tools`, each
    run of a tool is recorded as well, by name, latency and error.
    """

    def __init__(
        self,
        delivery: Delivery,
        *,
        user_id: str | None = None,
        application_id: str | None = None,
        content: bool = False,
        tools: bool = False,
        trace_id: Callable[[], str | None] | None = None,
    ) -> None:
        super().__init__()
        self._delivery = delivery
        self._user = user_id
        self._application = application_id
        self._content = content
        self._tools = tools
        self._trace = trace_id or _lambda_trace
        self._open: OrderedDict[UUID, _Open] = OrderedDict()
        self._roots: OrderedDict[UUID, str] = OrderedDict()
        self._lock = threading.Lock()

    # Model calls.

    @_harmless
    def on_chat_model_start(
        self,
        serialized: dict[str, Any],
        messages: list[list[BaseMessage]],
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        tags: list[str] | None = None,
        metadata: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        prompt = [[{"role": m.type, "content": m.content} for m in each] for each in messages] if self._content else None
        self._begin(run_id, parent_run_id, metadata, kwargs, prompt)

    @_harmless
    def on_llm_start(
        self,
        serialized: dict[str, Any],
        prompts: list[str],
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        tags: list[str] | None = None,
        metadata: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        self._begin(run_id, parent_run_id, metadata, kwargs, list(prompts) if self._content else None)

    @_harmless
    def on_llm_new_token(self, token: Any, *, run_id: UUID, parent_run_id: UUID | None = None, **kwargs: Any) -> None:
        with self._lock:
            call = self._open.get(run_id)
            if call is not None and call.first_token is None:
                call.first_token = time.monotonic()

    @_harmless
    def on_llm_end(self, response: LLMResult, *, run_id: UUID, parent_run_id: UUID | None = None, **kwargs: Any) -> None:
        self._end(run_id, response, None)

    @_harmless
    def on_llm_error(self, error: BaseException, *, run_id: UUID, parent_run_id: UUID | None = None, **kwargs: Any) -> None:
        response = kwargs.get("response")
        self._end(run_id, response if isinstance(response, LLMResult) else None, error)

    # What a call is part of.

    @_harmless
    def on_chain_start(self, serialized: dict[str, Any], inputs: Any, *, run_id: UUID, parent_run_id: UUID | None = None, **kwargs: Any) -> None:
        self._root(run_id, parent_run_id)

    @_harmless
    def on_chain_end(self, outputs: Any, *, run_id: UUID, **kwargs: Any) -> None:
        self._forget(run_id)

    @_harmless
    def on_chain_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        self._forget(run_id)

    # Tools.

    @_harmless
    def on_tool_start(
        self,
        serialized: dict[str, Any],
        input_str: str,
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        metadata: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        # A tool may call models itself.
        root = self._root(run_id, parent_run_id)
        if self._tools:
            name = (serialized or {}).get("name") or kwargs.get("name")
            self._remember(run_id, _Open(root, None, dict(metadata or {}), name, None))

    @_harmless
    def on_tool_end(self, output: Any, *, run_id: UUID, **kwargs: Any) -> None:
        self._end_tool(run_id, None)

    @_harmless
    def on_tool_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        self._end_tool(run_id, error)

    def _begin(self, run_id: UUID, parent: UUID | None, metadata: Mapping[str, Any] | None, details: Mapping[str, Any], prompt: Any) -> None:
        known = dict(metadata or {})
        parameters = details.get("invocation_params") or {}
        model = _first(parameters, MODEL_KEYS) or known.get("ls_model_name")
        self._remember(run_id, _Open(self._roots.get(parent, str(parent)) if parent else str(run_id), model, known, None, prompt))

    def _end(self, run_id: UUID, response: LLMResult | None, error: BaseException | None) -> None:
        with self._lock:
            call = self._open.pop(run_id, None)
        if call is None:
            return
        record = self._record("modelCall", run_id, call, error)
        answers = _answers(response)
        record["modelId"] = call.model or _answered_model(answers, response)
        record["streamed"] = call.first_token is not None
        if call.first_token is not None:
            record["timeToFirstTokenMs"] = _milliseconds(call.first_token - call.began)
        record |= _usage(answers, response)
        stops = [reason for answer in answers if (reason := _first(answer.response_metadata, ("stopReason", "stop_reason", "finish_reason")))]
        if stops:
            record["stopReason"] = stops[0]
        wanted = [wish["name"] for answer in answers for wish in answer.tool_calls]
        if wanted:
            record["toolCalls"] = wanted
        if self._content:
            record["prompt"] = call.prompt
            record["completion"] = [generation.text for row in response.generations for generation in row] if response else None
        self._delivery.put(record)

    def _end_tool(self, run_id: UUID, error: BaseException | None) -> None:
        self._forget(run_id)
        with self._lock:
            call = self._open.pop(run_id, None)
        if call is not None:
            self._delivery.put(self._record("toolRun", run_id, call, error) | {"tool": call.name})

    def _record(self, event: str, run_id: UUID, call: _Open, error: BaseException | None) -> dict[str, Any]:
        record: dict[str, Any] = {
            "event": event,
            "time": time.time_ns() // 1_000_000,
            "runId": str(run_id),
            "traceId": call.metadata.get("trace_id") or self._trace() or call.root,
            "userId": call.metadata.get("user_id") or self._user,
            "applicationId": call.metadata.get("application_id") or self._application,
            "latencyMs": _milliseconds(time.monotonic() - call.began),
            "outcome": "error" if error is not None else "ok",
        }
        if error is not None:
            record["errorType"] = type(error).__name__
            if code := error_code(error):
                record["errorCode"] = code
            # Services repeat in their messages what they were sent.
            if self._content:
                record["errorMessage"] = str(error)
        return record

    def _remember(self, run_id: UUID, call: _Open) -> None:
        with self._lock:
            self._open[run_id] = call
            while len(self._open) > OPEN_RUNS:
                self._open.popitem(last=False)

    def _root(self, run_id: UUID, parent: UUID | None) -> str:
        with self._lock:
            root = self._roots.get(parent, str(parent)) if parent else str(run_id)
            self._roots[run_id] = root
            while len(self._roots) > OPEN_RUNS:
                self._roots.popitem(last=False)
        return root

    def _forget(self, run_id: UUID) -> None:
        with self._lock:
            self._roots.pop(run_id, None)


def _answers(response: LLMResult | None) -> list[AIMessage]:
    if response is None:
        return []
    return [
        generation.message
        for row in response.generations
        for generation in row
        if isinstance(generation, ChatGeneration) and isinstance(generation.message, AIMessage)
    ]


def _answered_model(answers: Sequence[AIMessage], response: LLMResult | None) -> str | None:
    for answer in answers:
        if model := _first(answer.response_metadata, MODEL_KEYS):
            return model
    return _first((response.llm_output if response else None) or {}, MODEL_KEYS)


def _usage(answers: Sequence[AIMessage], response: LLMResult | None) -> dict[str, int | None]:
    """Tokens; none where the model does not say, since 0 would be counted as a free call."""
    told = [usage for answer in answers if (usage := answer.usage_metadata)]
    if told:
        used: dict[str, int | None] = {
            "inputTokens": sum(usage["input_tokens"] for usage in told),
            "outputTokens": sum(usage["output_tokens"] for usage in told),
            "totalTokens": sum(usage["total_tokens"] for usage in told),
        }
        details: list[Mapping[str, Any]] = [usage.get("input_token_details") or {} for usage in told]
        for name, key in (("cacheReadTokens", "cache_read"), ("cacheWriteTokens", "cache_creation")):
            counts = [int(count) for each in details if (count := each.get(key)) is not None]
            if counts:
                used[name] = sum(counts)
        return used
    output = (response.llm_output if response else None) or {}
    said = output.get("usage") or output.get("token_usage") or {}
    taken = _number(said, ("input_tokens", "prompt_tokens", "inputTokens"))
    given = _number(said, ("output_tokens", "completion_tokens", "outputTokens"))
    total = _number(said, ("total_tokens", "totalTokens"))
    if total is None and taken is not None and given is not None:
        total = taken + given
    return {"inputTokens": taken, "outputTokens": given, "totalTokens": total}


def _first(values: Mapping[str, Any], keys: Sequence[str]) -> str | None:
    return next((str(values[key]) for key in keys if values.get(key)), None)


def _number(values: Mapping[str, Any], keys: Sequence[str]) -> int | None:
    return next((int(values[key]) for key in keys if values.get(key) is not None), None)


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)


def _lambda_trace() -> str | None:
    """X-Ray's id of the invocation, which Lambda puts into the environment anew for each."""
    fields = dict(part.split("=", 1) for part in os.environ.get("_X_AMZN_TRACE_ID", "").split(";") if "=" in part)
    return fields.get("Root")
