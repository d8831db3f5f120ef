"""A team's own program for a phase: `program: package.module:function`.

The function receives a typed context and composes any component resources, ours or theirs. Gates, rollback and
record are the same as for our own programs, because they work on stacks and not on components.
"""

from __future__ import annotations

import importlib
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from phases.errors import ConfigurationError
from stacks.marker import KEY, Marker


@dataclass(frozen=True, slots=True)
class PhaseContext:
    """What a team's program may know.

    Attributes:
        environment: name of the environment.
        launch: id of the launch.
        phase: id of the phase.
        slot: name of the new slot.
        image: what is launched, as it was asked for.
        digest: its digest.
        weights: percent of users by slot, as they are now.
        outputs: by phase id, the stack outputs of the phases before this one; secrets are left out.
        root: the project's directory.
    """

    environment: str
    launch: str
    phase: str
    slot: str
    image: str
    digest: str
    weights: Mapping[str, int]
    outputs: Mapping[str, Mapping[str, Any]]
    root: Path


_loading = threading.Lock()

TeamProgram = Callable[[PhaseContext], Mapping[str, Any] | None]
"""Registers resources; what it returns becomes stack outputs."""


def load(path: str, root: Path) -> TeamProgram:
    """Return the function that `package.module:function` names; the project's directory is importable.

    One module at a time: two phases' programs begin together, and the modules of Pulumi's SDKs, which load themselves
    when something of theirs is first looked up, are not made for two threads that look (Python 3.11 to 3.12.2,
    https://github.com/python/cpython/issues/114763).

    Raises:
        ConfigurationError: there is no such module or function.
    """
    module_name, _, name = path.partition(":")
    with _loading:
        if str(root) not in sys.path:
            sys.path.insert(0, str(root))
        try:
            module = importlib.import_module(module_name)
        except ImportError as error:
            raise ConfigurationError(f"program {path!r}: module {module_name!r} cannot be imported: {error}") from error
    found = getattr(module, name, None)
    if not callable(found):
        raise ConfigurationError(f"program {path!r}: module {module_name!r} has no function {name!r}")
    return found  # type: ignore[no-any-return]  # a team's function; what it returns is checked when it is used


def program(function: TeamProgram, context: PhaseContext, *, marker: Marker) -> Callable[[], None]:
    """Return the inline program that calls the team's function and exports what it returns."""

    def run() -> None:
        import pulumi

        for key, value in (function(context) or {}).items():
            pulumi.export(key, value)
        pulumi.export(KEY, marker.to_output())

    return run
