"""What the command line asked for, and the door to the engine that goes with it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from launch.configuration.locate import project_name
from phases.record import LaunchRecord, ReleaseRecord
from stacks.engine import Engine
from stacks.settings import read_settings


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command line asked for."""

    environment: str
    root: Path
    config: Path | None = None
    image: str | None = None
    sets: Mapping[str, str] = field(default_factory=dict)
    environ: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    environment_source: Path | None = None
    """The environment's file, where it is not the project's own."""
    pinned: ReleaseRecord | None = None
    """The release, where it was pinned before."""
    taken: LaunchRecord | None = None
    """The launch that is resumed."""


def engine_for(root: Path, environment: str, environ: Mapping[str, str]) -> Engine:
    """Return the door to the engine for an environment of a project."""
    return Engine(project=project_name(root), root=root, environ=environ, settings=read_settings(root, environment))
