"""Messages to the engine, which shows them beside the resource."""

from __future__ import annotations

from typing import Any

import grpc  # type: ignore[import-untyped]
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc

_SEVERITIES = {
    "debug": engine_pb2.DEBUG,
    "info": engine_pb2.INFO,
    "warning": engine_pb2.WARNING,
    "error": engine_pb2.ERROR,
}


class Host:
    """The engine that started this plugin.

    Args:
        address: of its server; nothing is shown where it is empty.
    """

    def __init__(self, address: str) -> None:
        self._address = address
        self._engine: Any = None

    def log(self, severity: str, message: str, urn: str, *, passing: bool = False) -> None:
        """Show a message without waiting for it to be seen.

        Args:
            severity: `debug`, `info`, `warning` or `error`.
            message: the text.
            urn: of the resource it is about.
            passing: whether it is forgotten when the resource is done.
        """
        if not self._address:
            return
        if self._engine is None:
            self._engine = engine_pb2_grpc.EngineStub(grpc.insecure_channel(self._address))
        self._engine.Log.future(
            engine_pb2.LogRequest(severity=_SEVERITIES[severity], message=message, urn=urn, ephemeral=passing)
        )
