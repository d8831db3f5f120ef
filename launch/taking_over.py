"""Taking up a launch whose process is gone, or asking the one whose process lives."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from launch import identity, session
from launch.asked import Asked, engine_for
from launch.configuration.locate import must_exist
from launch.earlier import last_record
from launch.journal import dump, recall
from launch.paths import Paths
from launch.preparation import prepare
from launch.prepared import Prepared
from launch.requests import ask
from phases.errors import EngineError, EnvironmentBusy
from phases.events import Observer
from phases.record import LaunchRecord
from phases.signals import Request
from phases.states import LaunchState, move_launch
from stacks.engine import Engine
from stacks.ledger import Entry, Ledger, describe
from stacks.updates import ConfigValue

POLL_SECONDS = 0.2


class Standing:
    """An environment's launch as it stands: the ledger's record, or the newer one of this machine's own journal.

    Args:
        asked: which environment.

    Raises:
        ConfigurationError: nothing was ever launched there, and it has no settings: its name is mistyped.
    """

    def __init__(self, asked: Asked) -> None:
        self.asked = asked
        self.paths = Paths(asked.root, asked.environment)
        self.engine: Engine = engine_for(asked.root, asked.environment, asked.environ)
        self.ledger = Ledger(self.engine.stack(asked.environment))
        self.entry: Entry = self.ledger.read()
        self.record = self._newest()
        if self.record is None:
            must_exist(asked.root, asked.environment)

    def _newest(self) -> LaunchRecord | None:
        recorded, here = last_record(self.entry), recall(self.paths.journal)
        if recorded is None or here is None:
            return recorded
        # The journal is written first; but only the process that the ledger names may be ahead of the ledger.
        same = (here.id, here.host, here.pid) == (recorded.id, recorded.host, recorded.pid)
        return here if same and recorded.owns else recorded

    @property
    def unfinished(self) -> bool:
        """Return whether there is something to take up: a launch that owns the environment, or one left half undone."""
        return self.record is not None and (self.record.owns or bool(self.record.left))

    @property
    def alive(self) -> bool:
        """Return whether the launch's own process still runs, on this machine."""
        return self.record is not None and self.record.owns and self.is_here and identity.is_alive(self.record)

    @property
    def is_here(self) -> bool:
        """Return whether the launch was started on this machine."""
        return self.record is not None and identity.is_here(self.record)

    def follow(self, until: Sequence[LaunchState], *, seconds: float) -> LaunchRecord:
        """Wait until the running launch is in one of those states, and return its record.

        Raises:
            EngineError: it did not get there in time.
        """
        assert self.record is not None  # noqa: S101 - callers looked
        limit = time.monotonic() + seconds
        while time.monotonic() < limit:
            now = recall(self.paths.journal)
            if now is not None and now.id == self.record.id and now.state in until:
                return now
            if not identity.is_alive(self.record):
                raise EngineError(
                    f"the process of launch {self.record.id} (pid {self.record.pid}) ended without a word; "
                    f"`python -m launch resume {self.asked.environment}` takes the launch up"
                )
            time.sleep(POLL_SECONDS)
        raise EngineError(f"launch {self.record.id} did not get to {' or '.join(until)} within {seconds:g}s")

    def ask(self, request: Request) -> None:
        """Ask the running launch for something."""
        ask(self.paths.requests, request)


ENDED = (LaunchState.COMPLETED, LaunchState.ROLLED_BACK, LaunchState.FAILED)


def adopt(standing: Standing, *, force: bool, back: bool) -> tuple[Prepared, LaunchRecord]:
    """Make this process the owner of a launch whose own process is gone, and return what it needs to go on.

    Args:
        standing: the launch as it stands.
        force: take it over although its process, on another machine, may still run.
        back: go on with a rollback, whatever it was doing.

    Raises:
        EnvironmentBusy: its process runs, or may run.
    """
    record, environment = standing.record, standing.asked.environment
    assert record is not None  # noqa: S101 - callers looked
    if standing.alive:
        raise EnvironmentBusy(
            f"{describe(dump(record))}, and its process is at work; nothing to take up", launch=record.id
        )
    if record.owns and not standing.is_here and not record.interrupted and not force:
        raise EnvironmentBusy(
            f"{describe(dump(record))}. Whether that process still runs cannot be seen from this machine: if you know "
            f"that it does not, add --take-over",
            launch=record.id,
        )
    prepared = _prepare_again(standing, record)
    # Locks that the dead process left on any stack of the environment would only stop us.
    for phase in prepared.survey.checkpoints:
        standing.engine.stack(f"{environment}-{phase}").cancel()
    standing.engine.stack(environment).cancel()
    own = identity.own(standing.asked.environ, standing.asked.root)
    state = record.state if record.state is LaunchState.RUNNING else move_launch(record.state, LaunchState.RUNNING)
    taken = record.model_copy(
        update={
            "state": state,
            "rolling_back": record.rolling_back or back,
            "reason": record.reason if record.rolling_back else ("abort was asked for" if back else record.reason),
            "interrupted": False,
            "left": (),
            "ended": None,
            "by": own.by,
            "host": own.host,
            "pid": own.pid,
            "process_started": own.process_started,
        }
    )
    standing.ledger.begin(
        dump(taken),
        standing.entry.vault,
        seen=record.id,
        message=f"{taken.id} launch {'rolling back' if taken.rolling_back else 'RUNNING'} {taken.release.image} again",
        may_take=lambda current: current.get("id") == record.id,
    )
    return prepared, taken


def go_on(
    standing: Standing,
    prepared: Prepared,
    taken: LaunchRecord,
    *,
    observers: Sequence[Observer],
    pause: bool | None = None,
) -> LaunchRecord:
    """Run an adopted launch to its end."""
    vault = standing.entry.vault
    return session.run(prepared, taken, vault, observers=observers, pause_on_interrupt=pause, resumed=True)


def supersede(asked: Asked, output: str) -> None:
    """Roll a running launch back, so that the next starts against the version that users had before both.

    Raises:
        EnvironmentBusy: it runs on another machine.
        EngineError: it could not be rolled back.
    """
    from launch.display import choose

    standing = Standing(asked)
    if not standing.unfinished:
        return
    if standing.alive:
        standing.ask(Request.ABORT)
        ended = standing.follow(ENDED, seconds=_patience(standing))
    else:
        prepared, taken = adopt(standing, force=False, back=True)
        with choose(output, prepared.config.spec, secrets=prepared.config.secrets) as observer:
            ended = go_on(standing, prepared, taken, observers=[observer])
    if ended.state is LaunchState.FAILED:
        raise EngineError(f"launch {ended.id} could not be rolled back whole: {'; '.join(ended.left)}")


def _patience(standing: Standing) -> float:
    """Return how long a rollback may take: an undo a phase."""
    assert standing.record is not None  # noqa: S101 - callers looked
    return 130.0 * (len(standing.record.phases) + 1)


def _prepare_again(standing: Standing, record: LaunchRecord) -> Prepared:
    """Make the launch again from the files as they were when it started."""
    pinned = standing.entry.vault.pinned
    asked = standing.asked
    if not pinned:
        raise EngineError(
            f"the ledger of {asked.environment} does not hold the configuration of launch {record.id}; "
            "this version of launch cannot take it up"
        )
    config = _kept(standing.paths.run / "launch.yaml", pinned["launch"])
    environment = _kept(standing.paths.run / f"Pulumi.{asked.environment}.yaml", pinned["environment"])
    again = Asked(
        asked.environment,
        asked.root,
        config=config,
        image=pinned["image"] or None,
        sets={name: value for name, value in pinned["sets"].items() if name not in ("IMAGE_TAG", "PREVIOUS_IMAGE_TAG")},
        environ=asked.environ,
        environment_source=environment,
        pinned=record.release,
        taken=record,
    )
    values = {key: ConfigValue(value, secret=True) for key, value in pinned["secrets"].items()}
    return prepare(again, engine=standing.engine, to=pinned.get("to"), values=values)


def _kept(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path
