"""How a failure reaches the engine."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any, NoReturn

import grpc  # type: ignore[import-untyped]
import pytest
from pulumi.provider.experimental.property_value import PropertyValue
from pulumi.runtime.proto import provider_pb2, status_pb2

from components.provider.provider import InitFailed
from components.provider.resource import Cancelled, ResourceFailure
from components.provider.server import Failures


class Aborted(Exception):
    """What a call's context raises to end it."""


class Call:
    """A call's context that remembers how it was ended."""

    def __init__(self) -> None:
        self.code: grpc.StatusCode | None = None
        self.details = ""
        self.metadata: dict[str, bytes] = {}

    async def abort(
        self, code: grpc.StatusCode, details: str, trailing_metadata: tuple[tuple[str, bytes], ...] = ()
    ) -> NoReturn:
        self.code, self.details, self.metadata = code, details, dict(trailing_metadata)
        raise Aborted


def answered(error: BaseException | None) -> tuple[object, Call]:
    """The answer of a handler that raises `error`, and its call."""
    call = Call()

    async def handle(request: object, context: object) -> object:
        assert context is call
        if error is not None:
            raise error
        return f"answer to {request}"

    async def ask() -> object:
        async def continuation(_: object) -> object:
            return SimpleNamespace(unary_unary=handle, request_deserializer=None, response_serializer=None)

        handler: Any = await Failures().intercept_service(continuation, SimpleNamespace(method="Create"))
        try:
            return await handler.unary_unary("request", call)
        except Aborted:
            return None

    return asyncio.run(ask()), call


def test_a_good_answer_goes_through() -> None:
    assert answered(None)[0] == "answer to request"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ResourceFailure("the port is taken"), grpc.StatusCode.FAILED_PRECONDITION),
        (Cancelled("the port is taken"), grpc.StatusCode.CANCELLED),
    ],
)
def test_an_expected_failure_says_that_the_state_is_known(error: Exception, code: grpc.StatusCode) -> None:
    _, call = answered(error)
    assert (call.code, call.details) == (code, "the port is taken")


def test_a_resource_that_is_there_but_broken_is_described() -> None:
    properties = {"url": PropertyValue("http://x"), "key": PropertyValue("k", is_secret=True)}
    _, call = answered(InitFailed("slot blue is not ready", id="/run/blue", properties=properties))
    assert call.details == "slot blue is not ready"
    status = status_pb2.Status.FromString(call.metadata["grpc-status-details-bin"])
    detail = provider_pb2.ErrorResourceInitFailed()
    assert status.details[0].Unpack(detail)
    assert (detail.id, list(detail.reasons)) == ("/run/blue", ["slot blue is not ready"])
    assert PropertyValue.unmarshal_map(detail.properties) == properties


def test_the_unexpected_stays_unexpected() -> None:
    with pytest.raises(ZeroDivisionError):
        answered(ZeroDivisionError())


def test_what_is_no_simple_call_is_left_alone() -> None:
    async def ask(handler: object) -> object:
        async def continuation(_: object) -> object:
            return handler

        return await Failures().intercept_service(continuation, SimpleNamespace(method="List"))

    stream = SimpleNamespace(unary_unary=None)
    assert asyncio.run(ask(stream)) is stream
    assert asyncio.run(ask(None)) is None
