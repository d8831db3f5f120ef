"""What the components register, and what they offer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NoReturn

import pulumi
import pytest
from pulumi.runtime import mocks as pulumi_mocks
from pulumi.runtime import settings
from pulumi.runtime.stack import wait_for_rpcs

from components.local.feature_flags import FeatureFlags, FeatureFlagsArgs
from components.local.migration import Migration, MigrationArgs
from components.local.service import ReadinessArgs, Service, ServiceArgs
from components.local.traffic_split import BackendArgs, StickyArgs, TrafficSplit, TrafficSplitArgs

OUTPUTS: dict[str, dict[str, Any]] = {
    "launch:local:Process": {"port": 4000, "url": "http://127.0.0.1:4000", "pid": 7, "log": "/run/blue/output.log"},
    "launch:local:Router": {"url": "http://127.0.0.1:80", "admin": "http://127.0.0.1:81"},
    "launch:local:FlagFile": {"digest": "sha256:1"},
    "launch:schema:Revision": {"previous": "base", "created": True, "snapshotFile": "/snapshots/1"},
}


class Recorded(pulumi_mocks.Mocks):
    """Remembers what was registered and answers as the provider would."""

    def __init__(self) -> None:
        self.inputs: dict[str, dict[str, Any]] = {}

    def new_resource(self, args: pulumi_mocks.MockResourceArgs) -> tuple[str | None, dict[Any, Any]]:
        self.inputs[args.typ] = args.inputs
        return f"{args.name}-id", {**args.inputs, **OUTPUTS.get(args.typ, {})}

    def call(self, args: pulumi_mocks.MockCallArgs) -> NoReturn:
        raise AssertionError(args.token)


@pytest.fixture
def recorded() -> Recorded:
    return Recorded()


def values(recorded: Recorded, make: Callable[[], dict[str, pulumi.Output[Any]]]) -> dict[str, Any]:
    """What the outputs of a program come to."""

    async def program(thread: ThreadPoolExecutor) -> dict[str, Any]:
        asyncio.get_running_loop().set_default_executor(thread)
        pulumi_mocks.set_mocks(recorded, preview=False)
        try:
            outputs = make()
            await wait_for_rpcs(await_all_outstanding_tasks=False)
            return {name: await output.future() for name, output in outputs.items()}
        finally:
            settings.reset_options()

    # The mocks run in a worker thread, where they would make an event loop that nobody closes.
    mocks_loop = asyncio.new_event_loop()
    try:
        with ThreadPoolExecutor(1, initializer=asyncio.set_event_loop, initargs=(mocks_loop,)) as thread:
            return asyncio.run(program(thread))
    finally:
        mocks_loop.close()


def test_a_service_is_a_process_with_an_address(recorded: Recorded) -> None:
    def program() -> dict[str, pulumi.Output[Any]]:
        args = ServiceArgs(
            directory="/run/blue",
            artifact="/artifacts/shop/1.0",
            digest="sha256:1",
            command=["python", "server.py", "${PORT}"],
            environment={"COLOUR": "blue"},
            readiness=ReadinessArgs(path="/ready", timeout=5.0),
        )
        service = Service("blue", args)
        return {"url": service.url, "log": service.log, "digest": service.digest, "urn": service.process.urn}

    found = values(recorded, program)
    assert found["url"] == "http://127.0.0.1:4000"
    assert found["log"] == "/run/blue/output.log"
    assert found["digest"] == "sha256:1"
    assert "launch:local:Service$launch:local:Process::blue" in found["urn"]
    assert recorded.inputs["launch:local:Process"] == {
        "directory": "/run/blue",
        "artifact": "/artifacts/shop/1.0",
        "digest": "sha256:1",
        "command": ["python", "server.py", "${PORT}"],
        "environment": {"COLOUR": "blue"},
        "readiness": {"path": "/ready", "status": 200, "timeoutSeconds": 5.0, "intervalSeconds": 0.1},
    }


def test_a_service_without_readiness_counts_as_ready_at_once(recorded: Recorded) -> None:
    def program() -> dict[str, pulumi.Output[Any]]:
        args = ServiceArgs(directory="/run/blue", artifact="/a", digest="sha256:1", command=["sh"])
        return {"url": Service("blue", args).url}

    values(recorded, program)
    assert set(recorded.inputs["launch:local:Process"]) == {"directory", "artifact", "digest", "command"}


def test_a_traffic_split_is_a_router_fed_by_services(recorded: Recorded) -> None:
    def program() -> dict[str, pulumi.Output[Any]]:
        args = ServiceArgs(directory="/run/blue", artifact="/a", digest="sha256:1", command=["sh"])
        blue = Service("blue", args)
        split = TrafficSplit(
            "shop",
            TrafficSplitArgs(
                backends=[BackendArgs("blue", blue.url, 90), BackendArgs("green", "http://127.0.0.1:4001", 10)],
                directory="/run/router",
                sticky=StickyArgs(cookie="slot"),
            ),
        )
        return {"url": split.url, "admin": split.admin, "urn": split.router.urn}

    found = values(recorded, program)
    assert (found["url"], found["admin"]) == ("http://127.0.0.1:80", "http://127.0.0.1:81")
    assert "launch:local:TrafficSplit$launch:local:Router::shop" in found["urn"]
    assert recorded.inputs["launch:local:Router"] == {
        "directory": "/run/router",
        "host": "127.0.0.1",
        "port": 0,
        "backends": [
            {"slot": "blue", "url": "http://127.0.0.1:4000", "weight": 90},
            {"slot": "green", "url": "http://127.0.0.1:4001", "weight": 10},
        ],
        "sticky": {"cookie": "slot"},
    }


def test_feature_flags_are_a_file(recorded: Recorded) -> None:
    flags = {"new_checkout": {"state": "ENABLED", "variants": {"on": True, "off": False}, "defaultVariant": "off"}}

    def program() -> dict[str, pulumi.Output[Any]]:
        resource = FeatureFlags("flags", FeatureFlagsArgs(path="/flags.json", flags=flags))
        return {"path": resource.path, "digest": resource.digest, "urn": resource.file.urn}

    found = values(recorded, program)
    assert (found["path"], found["digest"]) == ("/flags.json", "sha256:1")
    assert "launch:local:FeatureFlags$launch:local:FlagFile::flags" in found["urn"]
    assert recorded.inputs["launch:local:FlagFile"] == {"path": "/flags.json", "flags": flags}


def test_a_migration_is_a_schema_at_a_revision(recorded: Recorded) -> None:
    def program() -> dict[str, pulumi.Output[Any]]:
        resource = Migration(
            "shop",
            MigrationArgs(
                url=pulumi.Output.secret("sqlite:///shop.db"),
                scripts="/artifacts/shop/2.0/migrations",
                revision="0002",
                directory="/snapshots",
                snapshot=True,
            ),
        )
        return {
            "revision": resource.revision,
            "previous": resource.previous,
            "snapshot": resource.snapshot_file,
            "urn": resource.resource.urn,
        }

    found = values(recorded, program)
    assert (found["revision"], found["previous"], found["snapshot"]) == ("0002", "base", "/snapshots/1")
    assert "launch:local:Migration$launch:schema:Revision::shop" in found["urn"]
    assert recorded.inputs["launch:schema:Revision"]["snapshot"] is True
