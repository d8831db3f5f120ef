"""What a step does to the world: the verbs of the configuration, and what only the plan itself adds."""

from __future__ import annotations

from dataclasses import dataclass

from phases.verbs import Deploy, DisableTraffic, Migrate, RunProgram, ShiftTraffic, SyntheticTests


@dataclass(frozen=True, slots=True)
class SwitchFlags:
    """Switch these flags to their launch variants."""

    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ApplyProgram:
    """Run a team's own Pulumi program, `package.module:function`."""

    path: str


@dataclass(frozen=True, slots=True)
class Watch:
    """Change nothing; the bake is the step."""


@dataclass(frozen=True, slots=True)
class Retire:
    """Take the old slot away, now that nobody goes back to it."""


@dataclass(frozen=True, slots=True)
class Replay:
    """Redeploy the checkpoint that the stack had before the launch."""


Work = (
    Migrate
    | Deploy
    | SyntheticTests
    | DisableTraffic
    | ShiftTraffic
    | RunProgram
    | SwitchFlags
    | ApplyProgram
    | Watch
    | Retire
    | Replay
)

CHANGES_NOTHING = (SyntheticTests, Watch, RunProgram)
"""Work that updates no stack."""
