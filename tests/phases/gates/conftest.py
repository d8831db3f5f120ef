"""What the tests of gates share: a launch as a gate sees it, with a clock that only moves when somebody sleeps."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from phases.gates.base import GateContext, Moment, Release
from phases.kinds import PhaseKind

DIGEST = "sha256:" + "a" * 64


@dataclass
class FakeClock:
    at: float = 0.0
    start: datetime = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
    slept: list[float] = field(default_factory=list)

    def monotonic(self) -> float:
        return self.at

    def now(self) -> datetime:
        return self.start + timedelta(seconds=self.at)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.at += seconds


MakeContext = Callable[..., GateContext]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def make_context(tmp_path: Path, clock: FakeClock) -> MakeContext:
    """Return a function that makes the context of a good launch, with whatever differs given by name."""

    def make(**changes: object) -> GateContext:
        values: dict[str, Any] = {
            "environment": "dev",
            "phase": "deploy",
            "kind": PhaseKind.DEPLOY,
            "moment": Moment.ENTRY,
            "release": Release(image="shop:2.0", digest=DIGEST),
            "root": tmp_path,
            "clock": clock,
            "slot": "green",
            "slot_url": "http://127.0.0.1:1/",
            "router_url": "http://127.0.0.1:2",
        }
        return GateContext(**{**values, **changes})

    return make


class Registry:
    """A registry that knows the images it is given."""

    def __init__(self, images: Mapping[str, str | Exception]) -> None:
        self._images = images

    def digest(self, image: str) -> str:
        found = self._images.get(image)
        if found is None:
            raise LookupError(f"there is no {image}; there is {', '.join(self._images)}")
        if isinstance(found, Exception):
            raise found
        return found


@pytest.fixture
def make_registry() -> Callable[[Mapping[str, str | Exception]], Registry]:
    return Registry
