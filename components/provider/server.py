"""Serves a provider to the engine over gRPC.

Like `pulumi.provider.experimental.server.main`, which it builds on, with three differences: an expected
failure reaches the engine with a status that says what is known about the resource (the SDK sends every
exception as `UNKNOWN`, with the exception's Python name in the message, and the engine then keeps the
operation as pending); the server ends with the engine that started it; and it ends when it is told to.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, cast

import grpc  # type: ignore[import-untyped]
import grpc.aio  # type: ignore[import-untyped]
from pulumi.provider.experimental.property_value import PropertyValue
from pulumi.provider.experimental.server import ProviderServicer
from pulumi.runtime._grpc_settings import _GRPC_CHANNEL_OPTIONS
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc, status_pb2

from components.provider import parent
from components.provider.provider import InitFailed, LaunchProvider
from components.provider.registry import DRIFTING, RESOURCES
from components.provider.resource import Cancelled, ResourceFailure

logger = logging.getLogger(__name__)

_GRACE = 3.0
"""Seconds that running operations get to answer once the server is told to end."""


class Failures(grpc.aio.ServerInterceptor):  # type: ignore[misc]
    """Turns our exceptions into statuses that the engine understands.

    `FAILED_PRECONDITION`: the operation failed and the state of the resource is known. `CANCELLED`: so it is,
    since the engine asked. The detail `ErrorResourceInitFailed`: the resource is there and is to be recorded
    with its errors. Anything else stays an unexpected error, with its traceback in the engine's log.
    """

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[grpc.RpcMethodHandler]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler:
        """Wrap the handler of one call."""
        handler = cast("Any", await continuation(handler_call_details))
        if handler is None or handler.unary_unary is None:
            return cast("grpc.RpcMethodHandler", handler)

        async def answer(request: object, context: grpc.aio.ServicerContext[Any, Any]) -> object:
            try:
                return await handler.unary_unary(request, context)
            except InitFailed as failure:
                await _abort_partially(context, failure)
            except Cancelled as failure:
                await context.abort(grpc.StatusCode.CANCELLED, str(failure))
            except ResourceFailure as failure:
                await context.abort(grpc.StatusCode.FAILED_PRECONDITION, str(failure))
            raise AssertionError  # abort always raises

        return grpc.unary_unary_rpc_method_handler(
            answer,
            request_deserializer=handler.request_deserializer,
            response_serializer=handler.response_serializer,
        )


async def _abort_partially(context: grpc.aio.ServicerContext[Any, Any], failure: InitFailed) -> None:
    """Answer that the resource exists and what is wrong with it.

    See `ErrorResourceInitFailed` in https://github.com/pulumi/pulumi/blob/master/proto/pulumi/provider.proto.
    """
    detail = provider_pb2.ErrorResourceInitFailed(
        id=failure.id, properties=PropertyValue.marshal_map(failure.properties), reasons=[str(failure)]
    )
    status = status_pb2.Status(code=grpc.StatusCode.UNKNOWN.value[0], message=str(failure))
    status.details.add().Pack(detail)
    await context.abort(
        grpc.StatusCode.UNKNOWN,
        str(failure),
        trailing_metadata=(("grpc-status-details-bin", status.SerializeToString()),),
    )


class Servicer(ProviderServicer):
    """Tells the engine, beside what the SDK's servicer does, which resources to read before every update.

    Without it an update compares the program with what was recorded, and a process that was killed meanwhile,
    or all of them after a reboot, would be the same as ever. The engine reads them before the program runs,
    so an update that waits for a verdict is not slowed down.
    """

    _provider: LaunchProvider

    async def Create(self, request: Any, context: Any) -> Any:  # noqa: ANN401, N802 - the protocol's messages and names
        """Create, and say whether the world may change behind the engine's back."""
        response = await super().Create(request, context)  # type: ignore[no-untyped-call]
        response.refresh_before_update = self._provider.drifts(request.urn)
        return response

    async def Update(self, request: Any, context: Any) -> Any:  # noqa: ANN401, N802
        """The same for an update, which the engine would else take for a no."""
        response = await super().Update(request, context)  # type: ignore[no-untyped-call]
        response.refresh_before_update = self._provider.drifts(request.urn)
        return response

    async def Read(self, request: Any, context: Any) -> Any:  # noqa: ANN401, N802
        """The same for a read."""
        response = await super().Read(request, context)  # type: ignore[no-untyped-call]
        response.refresh_before_update = self._provider.drifts(request.urn)
        return response


def run(version: str, engine: str, gone: Callable[[], Coroutine[Any, Any, None]] = parent.gone) -> None:
    """Serve the package's resources, as `serve` says."""
    provider = LaunchProvider(RESOURCES, version, drifting=DRIFTING)
    asyncio.run(serve(provider, version=version, engine=engine, gone=gone))
    sys.stdout.flush()


async def serve(
    provider: LaunchProvider,
    *,
    version: str,
    engine: str,
    gone: Callable[[], Coroutine[Any, Any, None]] = parent.gone,
) -> None:
    """Serve until whoever started this is gone or a signal comes.

    The port is printed on standard output, where the engine waits for it.

    Args:
        provider: what to serve.
        version: of the plugin.
        engine: address of the engine, from the command line.
        gone: returns when whoever started this is gone.
    """
    server = grpc.aio.server(options=_GRPC_CHANNEL_OPTIONS, interceptors=[Failures()])
    servicer = Servicer([], version, provider, engine_address=engine)
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()

    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    # The engine ends a plugin with SIGINT, and with SIGKILL five seconds later. An interrupt typed in a
    # terminal does not come here, since the engine starts its plugins in process groups of their own.
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, told.set)

    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    ends = [asyncio.create_task(told.wait()), asyncio.create_task(gone())]
    await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
    for task in ends:
        task.cancel()
    await provider.cancel()
    await server.stop(_GRACE)
