"""A project of its own for each test, and an end to everything that was started."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from stacks.engine import Engine
from tests.integration.provider.world import World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    (tmp_path / "state").mkdir()
    (tmp_path / "Pulumi.yaml").write_text("name: shop\nruntime: python\n")
    engine = Engine(project="shop", root=tmp_path, backend=f"file://{tmp_path / 'state'}", environ={**os.environ})
    found = World(tmp_path, engine, engine.stack("dev"))
    yield found
    for process in found.processes():
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(signal.SIGKILL)
