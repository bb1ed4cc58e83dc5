"""The handler, driven by real langchain-core: chains, models that stream, tools, errors."""

import asyncio
import json

import pytest
from bedrail_callback import CallbackHandler, Delivery
from botocore.exceptions import ClientError
from langchain_core.language_models import BaseChatModel
from langchain_core.language_models.fake import FakeListLLM
from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.tools import tool

USAGE = {"input_tokens": 7, "output_tokens": 3, "total_tokens": 10, "input_token_details": {"cache_read": 2}}


class Model(BaseChatModel):
    """Answers with what it is given."""

    answer: AIMessage
    model_id: str = "eu.amazon.nova-lite-v1:0"
    error: Exception | None = None
    model_config = {"arbitrary_types_allowed": True}

    @property
    def _llm_type(self):
        return "fake"

    @property
    def _identifying_params(self):
        return {"model_id": self.model_id}

    def _generate(self, messages, stop=None, run_manager=None, **kwargs):
        if self.error:
            raise self.error
        return ChatResult(generations=[ChatGeneration(message=self.answer)])

    def _stream(self, messages, stop=None, run_manager=None, **kwargs):
        for number, word in enumerate(str(self.answer.content).split(" ")):
            if self.error and number == 1:
                raise self.error
            usage = USAGE if number == 0 else {"input_tokens": 0, "output_tokens": 0, "total_tokens": 0}
            chunk = ChatGenerationChunk(message=AIMessageChunk(content=word, usage_metadata=usage))
            if run_manager:
                run_manager.on_llm_new_token(word, chunk=chunk)
            yield chunk


class Kept(Delivery):
    """Keeps records instead of sending them."""

    def __init__(self):
        super().__init__("group", client=None)
        self.records = []

    def put(self, record):
        json.dumps(record)
        self.records.append(record)
        return True


@pytest.fixture
def delivery():
    return Kept()


def answer(text="a good answer", **more):
    return AIMessage(content=text, usage_metadata=USAGE, response_metadata={"stopReason": "end_turn"}, **more)


def test_a_call_is_one_record_without_what_was_said(delivery):
    handler = CallbackHandler(delivery, user_id="u-1", application_id="shop")
    Model(answer=answer()).invoke("secret question", {"callbacks": [handler]})
    record, = delivery.records
    assert record["event"] == "modelCall" and record["outcome"] == "ok"
    assert (record["inputTokens"], record["outputTokens"], record["totalTokens"], record["cacheReadTokens"]) == (7, 3, 10, 2)
    assert (record["modelId"], record["userId"], record["applicationId"]) == ("eu.amazon.nova-lite-v1:0", "u-1", "shop")
    assert record["latencyMs"] >= 0 and record["stopReason"] == "end_turn" and record["streamed"] is False
    assert record["traceId"] == record["runId"]
    assert "secret" not in json.dumps(record) and "good" not in json.dumps(record)


def test_what_was_said_is_recorded_when_it_is_asked_for(delivery):
    Model(answer=answer()).invoke("question", {"callbacks": [CallbackHandler(delivery, content=True)]})
    record, = delivery.records
    assert record["prompt"] == [[{"role": "human", "content": "question"}]] and record["completion"] == ["a good answer"]


def test_a_call_says_whose_it_is_before_the_handler_does(delivery):
    handler = CallbackHandler(delivery, user_id="everybody", application_id="shop")
    Model(answer=answer()).invoke("q", {"callbacks": [handler], "metadata": {"user_id": "u-2", "trace_id": "t-1"}})
    record, = delivery.records
    assert (record["userId"], record["applicationId"], record["traceId"]) == ("u-2", "shop", "t-1")


def test_calls_of_one_chain_have_one_trace(delivery):
    handler = CallbackHandler(delivery)
    chain = ChatPromptTemplate.from_messages([("human", "{q}")]) | Model(answer=answer()) | (lambda message: message.content) | Model(answer=answer())
    chain.invoke({"q": "one"}, {"callbacks": [handler]})
    first, second = delivery.records
    assert first["traceId"] == second["traceId"] != first["runId"]
    chain.invoke({"q": "two"}, {"callbacks": [handler]})
    assert delivery.records[2]["traceId"] != first["traceId"]
    assert not handler._roots and not handler._open


def test_lambda_s_trace_goes_before_langchain_s(delivery, monkeypatch):
    monkeypatch.setenv("_X_AMZN_TRACE_ID", "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1")
    Model(answer=answer()).invoke("q", {"callbacks": [CallbackHandler(delivery)]})
    assert delivery.records[0]["traceId"] == "1-5759e988-bd862e3fe1be46a994272793"


def test_a_stream_is_one_record_with_the_time_to_its_first_token(delivery):
    text = "".join(chunk.text for chunk in Model(answer=answer()).stream("q", {"callbacks": [CallbackHandler(delivery)]}))
    assert text == "agoodanswer"
    record, = delivery.records
    assert record["streamed"] and 0 <= record["timeToFirstTokenMs"] <= record["latencyMs"]
    assert record["totalTokens"] == 10


def test_a_stream_that_breaks_off_is_an_error(delivery):
    model = Model(answer=answer(), error=ClientError({"Error": {"Code": "ModelStreamErrorException", "Message": "secret"}}, "ConverseStream"))
    with pytest.raises(ClientError):
        list(model.stream("q", {"callbacks": [CallbackHandler(delivery)]}))
    record, = delivery.records
    assert (record["outcome"], record["errorType"], record["errorCode"]) == ("error", "ClientError", "ModelStreamErrorException")
    assert record["streamed"] and "secret" not in json.dumps(record)


def test_a_stream_that_nobody_reads_to_its_end_is_recorded_too(delivery):
    stream = Model(answer=answer()).stream("q", {"callbacks": [CallbackHandler(delivery)]})
    next(stream)
    stream.close()
    record, = delivery.records
    assert record["outcome"] == "error" and record["errorType"] == "GeneratorExit"


def test_calls_side_by_side_are_not_mixed_up(delivery):
    async def calls():
        handler = CallbackHandler(delivery)
        await asyncio.gather(*(
            Model(answer=answer(), model_id=f"model-{number}").ainvoke("q", {"callbacks": [handler], "metadata": {"user_id": f"u-{number}"}})
            for number in range(20)
        ))

    asyncio.run(calls())
    assert sorted((record["modelId"], record["userId"]) for record in delivery.records) == sorted((f"model-{n}", f"u-{n}") for n in range(20))


@pytest.mark.parametrize("content", [False, True])
def test_an_error_is_a_record_and_still_reaches_the_caller(delivery, content):
    model = Model(answer=answer(), error=ClientError({"Error": {"Code": "ThrottlingException", "Message": "slow down"}}, "Converse"))
    with pytest.raises(ClientError):
        model.invoke("q", {"callbacks": [CallbackHandler(delivery, content=content)]})
    record, = delivery.records
    assert (record["outcome"], record["errorCode"], record["totalTokens"]) == ("error", "ThrottlingException", None)
    assert ("slow down" in record.get("errorMessage", "")) is content


def test_tools_that_a_model_wants_are_named(delivery):
    call = {"name": "weather", "args": {"place": "secret"}, "id": "c1"}
    Model(answer=answer(tool_calls=[call])).invoke("q", {"callbacks": [CallbackHandler(delivery)]})
    record, = delivery.records
    assert record["toolCalls"] == ["weather"] and "secret" not in json.dumps(record)


def test_runs_of_tools_are_recorded_when_they_are_asked_for(delivery):
    @tool
    def weather(place: str) -> str:
        """The weather."""
        if place == "nowhere":
            raise ValueError(place)
        return "rain"

    weather.invoke({"place": "here"}, {"callbacks": [CallbackHandler(delivery)]})
    assert not delivery.records
    handler = CallbackHandler(delivery, tools=True)
    weather.invoke({"place": "here"}, {"callbacks": [handler]})
    with pytest.raises(ValueError):
        weather.invoke({"place": "nowhere"}, {"callbacks": [handler]})
    good, bad = delivery.records
    assert (good["event"], good["tool"], good["outcome"]) == ("toolRun", "weather", "ok")
    assert (bad["outcome"], bad["errorType"]) == ("error", "ValueError") and "nowhere" not in json.dumps(bad)
    assert not handler._open and not handler._roots


def test_a_model_that_does_not_tell_its_use_leaves_it_open(delivery):
    FakeListLLM(responses=["x"]).invoke("q", {"callbacks": [CallbackHandler(delivery)]})
    record, = delivery.records
    assert (record["inputTokens"], record["outputTokens"], record["totalTokens"]) == (None, None, None)


def test_a_broken_delivery_does_not_break_the_chain():
    class Broken(Delivery):
        def put(self, record):
            raise RuntimeError("broken")

    assert Model(answer=answer()).invoke("q", {"callbacks": [CallbackHandler(Broken("group"))]}).content == "a good answer"
