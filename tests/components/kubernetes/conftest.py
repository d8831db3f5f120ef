# ruff: noqa: ANN401, N802 - a property value may be anything, and the monitor's methods have the protocol's names
"""Runs programs against a monitor that only remembers what was registered, with every option."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, NoReturn

import pulumi
import pytest
from pulumi.runtime import mocks as pulumi_mocks
from pulumi.runtime import settings
from pulumi.runtime.stack import wait_for_rpcs

from components.kubernetes.settings import SlotSettings
from components.platform import Placed, ReadinessSpec, SlotSpec

DIGEST = "sha256:" + "1" * 64
OTHER_DIGEST = "sha256:" + "2" * 64


class Echo(pulumi_mocks.Mocks):
    """Answers every resource with its own inputs."""

    def new_resource(self, args: pulumi_mocks.MockResourceArgs) -> tuple[str | None, dict[Any, Any]]:
        return f"{args.name}-id", args.inputs

    def call(self, args: pulumi_mocks.MockCallArgs) -> NoReturn:
        raise AssertionError(args.token)


class Monitor(pulumi_mocks.MockMonitor):
    """Keeps what was asked for as well."""

    def __init__(self) -> None:
        super().__init__(Echo())
        self.requests: list[Any] = []

    def RegisterResource(self, request: Any) -> Any:
        self.requests.append(request)
        return super().RegisterResource(request)  # type: ignore[no-untyped-call]


@dataclass
class Registered:
    """What a program registered.

    Attributes:
        outputs: what the program's outputs came to.
        requests: the registrations, by type and name.
    """

    outputs: dict[str, Any] = field(default_factory=dict)
    requests: dict[tuple[str, str], Any] = field(default_factory=dict)

    def request(self, kind: str, name: str) -> Any:
        """The registration of an object, such as `Deployment` or `Secret`."""
        return next(
            found
            for (token, of), found in self.requests.items()
            if not token.startswith("launch:") and (token.split(":")[-1], of) == (kind, name)
        )

    def inputs(self, kind: str, name: str) -> dict[str, Any]:
        """Its inputs; a secret one is a mapping with the SDK's signature."""
        from google.protobuf import json_format  # type: ignore[import-untyped]

        found: dict[str, Any] = json_format.MessageToDict(self.request(kind, name).object)
        return found

    def kinds(self) -> list[str]:
        """The kinds of everything, sorted."""
        return sorted(token.split(":")[-1] for token, _ in self.requests)

    def names(self, kind: str) -> list[str]:
        """The names of everything of a kind, sorted."""
        return sorted(name for token, name in self.requests if token.split(":")[-1] == kind)


RunProgram = Callable[[Callable[[], "dict[str, Placed]"]], Registered]


@pytest.fixture
def run_program() -> RunProgram:
    """Runs a program that answers what it placed."""

    def run(make: Callable[[], dict[str, Placed]]) -> Registered:
        monitor = Monitor()

        async def program(thread: ThreadPoolExecutor) -> dict[str, Any]:
            asyncio.get_running_loop().set_default_executor(thread)
            pulumi_mocks.set_mocks(Echo(), preview=False, monitor=monitor)
            try:
                try:
                    placed = make()
                finally:
                    await wait_for_rpcs()
                return {
                    name: {key: await pulumi.Output.from_input(value).future() for key, value in one.outputs.items()}
                    for name, one in placed.items()
                }
            finally:
                settings.reset_options()

        # The mocks run in a worker thread, where they would make an event loop that nobody closes.
        mocks_loop = asyncio.new_event_loop()
        try:
            with ThreadPoolExecutor(1, initializer=asyncio.set_event_loop, initargs=(mocks_loop,)) as thread:
                outputs = asyncio.run(program(thread))
        finally:
            mocks_loop.close()
        return Registered(outputs, {(request.type, request.name): request for request in monitor.requests})

    return run


@pytest.fixture
def slot() -> SlotSettings:
    return SlotSettings()


@pytest.fixture
def make_spec() -> Callable[..., SlotSpec]:
    """A release of the shop, with whatever differs by name."""

    def make(**different: Any) -> SlotSpec:
        given: dict[str, Any] = {
            "service": "shop",
            "slot": "blue",
            "image": "shop:1.0",
            "digest": DIGEST,
            "artifact": f"registry.example/shop@{DIGEST}",
            "environment": {"COLOUR": "blue", "DATABASE_URL": "postgresql://u:hunter2@db/shop"},
            "secret_keys": ("DATABASE_URL",),
            "readiness": ReadinessSpec(path="/ready", timeout=90.0, interval=0.5),
            "options": SlotSettings().to_options(),
        }
        return SlotSpec(**{**given, **different})

    return make
