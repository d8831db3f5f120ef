"""The components together, as a launch uses them: two slots, a router between them, and flags."""

from __future__ import annotations

import sys
from collections.abc import Callable

import pytest

from components.local.artifact import digest
from tests.integration.provider.world import World, ask

pytestmark = pytest.mark.integration


def program(world: World, slots: dict[str, int], version: str = "1.0") -> Callable[[], None]:
    """Slots by weight, behind one router."""
    artifact = world.artifact(version)

    def run() -> None:
        import pulumi

        from components.local.feature_flags import FeatureFlags, FeatureFlagsArgs
        from components.local.service import ReadinessArgs, Service, ServiceArgs
        from components.local.traffic_split import BackendArgs, TrafficSplit, TrafficSplitArgs

        services = {
            slot: Service(
                slot,
                ServiceArgs(
                    directory=str(world.root / "run" / slot),
                    artifact=str(artifact),
                    digest=digest(artifact),
                    command=[sys.executable, "${ARTIFACT}/server.py", "${PORT}"],
                    environment={"SLOT": slot, "PASSWORD": pulumi.Output.secret("a-very-secret-password")},
                    readiness=ReadinessArgs(path="/", timeout=60.0),
                ),
            )
            for slot in slots
        }
        backends = [BackendArgs(slot, service.url, slots[slot]) for slot, service in services.items()]
        split = TrafficSplit("shop", TrafficSplitArgs(backends, str(world.root / "run" / "router")))
        flag = {"state": "ENABLED", "variants": {"on": True, "off": False}, "defaultVariant": "on"}
        flags = FeatureFlags("flags", FeatureFlagsArgs(str(world.flags), {"new_checkout": flag}))
        pulumi.export("url", split.url)
        pulumi.export("flags", flags.digest)

    return run


def test_traffic_follows_the_weights_and_addresses_follow_the_slots(world: World) -> None:
    preview = world.stack.preview(program(world, {"blue": 100}))
    assert preview.changes == {"create": 7}

    assert world.stack.update(program(world, {"blue": 100}), message="blue").changes == {"create": 7}
    url = world.stack.outputs()["url"]
    assert ask(url)["environment"]["SLOT"] == "blue"

    # A slot whose address nobody knows yet joins: the router learns it in the same update.
    both = world.stack.update(program(world, {"blue": 0, "green": 100}), message="green")
    assert both.changes == {"create": 2, "same": 6, "update": 1}
    assert world.stack.outputs()["url"] == url
    assert ask(url)["environment"]["SLOT"] == "green"

    # Another version in the same slots: same addresses, so nothing else changes.
    second = world.stack.update(program(world, {"blue": 0, "green": 100}, "2.0"), message="2.0")
    assert second.changes == {"same": 7, "update": 2}
    assert ask(url)["version"] == "2.0"

    world.stack.destroy(message="destroy")
    assert world.processes() == []
    assert not world.flags.exists()


def test_many_slots_get_ready_at_the_same_time(world: World) -> None:
    slots = {f"slot-{number}": 0 for number in range(8)}
    update = world.stack.update(program(world, slots), message="many")
    assert update.changes == {"create": 5 + 2 * len(slots)}
    assert world.stack.update(program(world, slots), message="again").changes == {"same": 5 + 2 * len(slots)}
    world.stack.destroy(message="destroy")
    assert world.processes() == []
