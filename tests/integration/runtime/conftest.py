"""A router of its own for each test, and an end to everything that was started."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.runtime.stage import Origin, Routed


@pytest.fixture
def routed(tmp_path: Path) -> Iterator[Routed]:
    """A router's directory, and slots to put behind it."""
    result = Routed(tmp_path / "router")
    try:
        yield result
    finally:
        result.end()


@pytest.fixture
def blue(routed: Routed) -> Origin:
    """One slot that has all the traffic."""
    origin = routed.slot("blue")
    routed.weigh(blue=100)
    return origin
