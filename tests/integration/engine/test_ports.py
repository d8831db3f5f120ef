"""The system gives an engine a port that another engine of this process had before."""

from __future__ import annotations

import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress

import grpc  # type: ignore[import-untyped]
import pytest
from google.protobuf.empty_pb2 import Empty  # type: ignore[import-untyped]
from pulumi.runtime import _grpc_settings
from pulumi.runtime.proto import language_pb2_grpc, plugin_pb2

import stacks.automation  # noqa: F401 - it says how channels to engines are made

pytestmark = pytest.mark.integration


class Engine(language_pb2_grpc.LanguageRuntimeServicer):
    """Says that it is there."""

    def GetPluginInfo(self, request: Empty, context: object) -> plugin_pb2.PluginInfo:  # noqa: N802 - the protocol
        del request, context
        return plugin_pb2.PluginInfo(version="1")


def channel(port: int) -> grpc.Channel:
    """A channel as the SDK makes it."""
    return grpc.insecure_channel(f"127.0.0.1:{port}", options=_grpc_settings._GRPC_CHANNEL_OPTIONS)


def test_an_engine_is_reached_on_the_port_of_one_that_is_gone() -> None:
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with closing(channel(port)) as gone:
        for _ in range(2):  # each failure makes it wait longer before it tries again
            with suppress(grpc.RpcError):
                language_pb2_grpc.LanguageRuntimeStub(gone).GetPluginInfo(Empty())
            time.sleep(0.5)
        server = grpc.server(ThreadPoolExecutor(2))
        language_pb2_grpc.add_LanguageRuntimeServicer_to_server(Engine(), server)
        assert server.add_insecure_port(f"127.0.0.1:{port}") == port
        server.start()
        try:
            with closing(channel(port)) as new:
                answer = language_pb2_grpc.LanguageRuntimeStub(new).GetPluginInfo(Empty())
        finally:
            server.stop(None).wait()
    assert answer.version == "1"
