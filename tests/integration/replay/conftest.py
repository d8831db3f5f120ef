# ruff: noqa: ANN401 - a property value may be anything
"""A real engine on a backend of its own, and a provider plugin whose "cloud" is a folder."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from stacks import replay
from stacks.checkpoint import Checkpoint
from stacks.engine import Engine, StackHandle, Update

_HERE = Path(__file__).parents[3]


@dataclass
class Sandbox:
    """One stack, and the world its resources live in."""

    engine: Engine
    stack: StackHandle
    world: Path
    count: int = 0

    def fresh(self) -> Sandbox:
        """Another stack, empty, in the same world."""
        self.count += 1
        return Sandbox(self.engine, self.engine.stack(f"dev{self.count}"), self.world)

    def up(self, program: Callable[[], Any]) -> Mapping[str, int]:
        """Runs an update; answers how many resources changed in which way."""
        return dict(self.stack.update(program, message="test").changes)

    def state(self) -> Checkpoint:
        return Checkpoint.from_deployment(self.stack.checkpoint() or {})

    def replay(self, checkpoint: Checkpoint, **options: Any) -> Update:
        return self.stack.update(replay.program(checkpoint, **options), message="replay")

    def things(self) -> set[str]:
        """Ids of what exists in the world."""
        return {path.name for path in self.world.iterdir() if path.name.startswith("id-")}

    def log(self) -> list[str]:
        path = self.world / "log"
        return path.read_text().splitlines() if path.exists() else []


@pytest.fixture
def sandbox(tmp_path: Path) -> Sandbox:
    world = tmp_path / "world"
    world.mkdir()
    plugins = tmp_path / "plugins"
    plugins.mkdir()
    # The engine finds a plugin by its name on PATH; the wrapper makes it run with this Python.
    wrapper = plugins / "pulumi-resource-replaytest"
    source = _HERE / "tests/plugins/pulumi-resource-replaytest"
    wrapper.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{source}" "$@"\n')
    wrapper.chmod(0o755)
    tools = _HERE / ".tools/bin"
    environ = {
        **os.environ,
        "PATH": os.pathsep.join([str(plugins), str(tools), os.environ["PATH"]]),
        "PULUMI_CONFIG_PASSPHRASE": "test",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "REPLAYTEST_WORLD": str(world),
    }
    root = tmp_path / "project"
    root.mkdir()
    (root / "Pulumi.yaml").write_text("name: replaying\nruntime: python\n")
    engine = Engine(project="replaying", root=root, environ=environ)
    return Sandbox(engine, engine.stack("dev"), world)
