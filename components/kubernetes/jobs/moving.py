"""Brings a schema from wherever it is to a revision, by a Job.

Where it is follows from what the cluster remembers of moves that were never recorded, else from what is recorded, and
on a first launch from the `current` command or from `startsAt`.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from components.kubernetes import names
from components.kubernetes.jobs import manifest
from components.kubernetes.jobs.cluster import Cluster, ClusterRefused
from components.kubernetes.jobs.manifest import Move
from components.kubernetes.jobs.order import direction
from components.kubernetes.jobs.reading import STOPPED, Recorded, State
from components.kubernetes.jobs.running import Refused, Run

Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Moved:
    """What a move came to.

    Attributes:
        since: the revision before.
        initial: the revision that the schema was found at.
        serial: how many moves there were.
        knows: of the inputs, those of the release that knows the way from here.
        job: the Job, where one was needed.
        log: its last lines, without secrets.
    """

    since: str
    initial: str
    serial: int
    knows: Values = field(repr=False)
    job: str = ""
    log: str = ""


class Failed(Exception):
    """A Job ran and failed; nobody knows how far it came.

    Attributes:
        left: what there is to record.
    """

    def __init__(self, message: str, left: Moved) -> None:
        super().__init__(message)
        self.left = left


@dataclass(frozen=True, slots=True)
class _Standing:
    """Where the schema is.

    Attributes:
        revision: where it is, or where the last Job was to bring it.
        before: where that Job found it.
        certain: that Job succeeded.
        initial: the revision that the resource found it at.
        serial: of that Job.
        knows: of the inputs, those of the release that knows the way from here.
        pending: that Job, where no record tells of it, or of how it ended.
    """

    revision: str
    before: str
    certain: bool
    initial: str
    serial: int
    knows: Values
    pending: Recorded | None = None


def mark(urn: str) -> str:
    """Return the mark of a resource's Jobs: the same for one that was being created when its update was killed."""
    return hashlib.sha256(urn.encode()).hexdigest()[:10]


def move(
    new: Values,
    old: Values,
    cluster: Cluster,
    *,
    cancelled: threading.Event,
    limit: float = 0.0,
    only_down: bool = False,
) -> Moved:
    """Bring the schema to `new["revision"]`; nothing happens where it is there already.

    Args:
        new: the inputs.
        old: the recorded outputs; empty for a new resource.
        cluster: where Jobs run.
        cancelled: ends the wait, and with it the Job.
        limit: seconds that one Job may take, 0: what the inputs say.
        only_down: leave the schema where it is if the way were up.

    Raises:
        Refused: nothing was changed.
        Stopped: `cancelled` was set, and nothing was changed.
        Failed: a Job failed, or was stopped since `cancelled` was set.
        OrderUnknown: nothing tells which way to go.
        ClusterRefused: the API server refused.
    """
    run = Run(cluster, seconds=min(filter(None, (float(new["timeoutSeconds"]), limit))), cancelled=cancelled)
    standing, target = _standing(new, old, cluster, run), str(new["revision"])
    pending = standing.pending
    if pending is not None and _is_the_same(pending, new, target, cluster.owner):
        return _follow(run, pending.name, _step(pending, cluster.owner), new, pending.inputs)
    if pending is not None and (pending.state is State.RUNNING or pending.reason == STOPPED):
        cluster.stop(pending.name)  # and wait for its pods, which may not have ended yet
    if standing.certain and standing.revision == target:
        return _settled(standing, old, new)
    since = _since(standing, target, run)
    if since == target:
        return _settled(standing, old, new)
    way = direction(since, target, *(part.get("revisions") or () for part in (new, old, standing.knows)))
    if only_down and way == "up":
        return _settled(standing, old, new)
    does = standing.knows if way == "down" else new
    if not does.get(way):
        raise Refused(f"the schema is at {since}, and no command goes {way} from there to {target}: give one (`{way}`)")
    step = Move(cluster.owner, standing.serial + 1, since, target, way, standing.initial)
    job = manifest.mover(new, step, does=does)
    name = job["metadata"]["name"]
    try:
        cluster.start(job)
    except ClusterRefused as error:
        if not error.unknown:
            raise
        # It may be there, and then it runs.
        left = Moved(since, standing.initial, step.serial, manifest.remembered(does), name)
        raise Failed(f"whether the Job {name} runs is not known: {error}", left) from error
    return _follow(run, name, step, new, does)


def found(outputs: Values, cluster: Cluster) -> dict[str, Any]:
    """Return the outputs with what a look at the world adds: the database's own answer, or the record of the Jobs."""
    run = Run(cluster, seconds=float(outputs["timeoutSeconds"]), cancelled=threading.Event())
    result = dict(outputs)
    newest = cluster.newest()
    if newest is not None and newest.serial > outputs["serial"]:
        result.update(serial=newest.serial, knows=dict(newest.inputs), attempted=newest.target)
        if newest.state is State.RUNNING:
            return result
        if newest.state is State.COMPLETE:
            result["revision"] = result.pop("attempted")
    knows = result.get("knows") or outputs
    if knows.get("current"):
        result["revision"] = run.ask({**outputs, **knows})
        result.pop("attempted", None)
    return result


def has_successor(outputs: Values, cluster: Cluster) -> bool:
    """Return whether another resource has moved the schema of this service since."""
    return cluster.succeeded_by(f"{names.NAME}={outputs['service']}")


def _standing(new: Values, old: Values, cluster: Cluster, run: Run) -> _Standing:
    newest = cluster.newest()
    if newest is not None and newest.serial > old.get("serial", 0):
        return _Standing(
            revision=newest.target,
            before=newest.since,
            certain=newest.state is State.COMPLETE,
            initial=newest.initial,
            serial=newest.serial,
            knows={**new, **newest.inputs},
            pending=newest,
        )
    if old:
        attempted = old.get("attempted")
        last = newest if attempted and newest is not None and newest.serial == old["serial"] else None
        return _Standing(
            revision=attempted or old["revision"],
            before=old["revision"],
            certain=not attempted or (last is not None and last.state is State.COMPLETE),
            initial=old["initial"],
            serial=old["serial"],
            knows={**new, **(old.get("knows") or old)},
            pending=last,
        )
    initial = run.ask(new) if new.get("current") else new.get("startsAt")
    if not initial:
        raise Refused("nothing tells where the schema is: give `current` or `startsAt`")
    return _Standing(initial, initial, certain=True, initial=initial, serial=0, knows=new)


def _since(standing: _Standing, target: str, run: Run) -> str:
    """Return where to start from; after a failure the database is asked, if anything can ask it."""
    if standing.certain:
        return standing.revision
    if standing.knows.get("current"):
        return run.ask(standing.knows)
    # The same way again, or all of it back.
    return standing.before if target == standing.revision else standing.revision


def _is_the_same(pending: Recorded, new: Values, target: str, owner: str) -> bool:
    """Whether a Job that nobody recorded does, or did, what is wanted now."""
    if pending.target != target or pending.state is State.FAILED:
        return False
    does = pending.inputs if pending.direction == "down" else new
    return pending.state is State.COMPLETE or manifest.name_of(does, _step(pending, owner)) == pending.name


def _step(job: Recorded, owner: str) -> Move:
    return Move(owner, job.serial, job.since, job.target, job.direction, job.initial)


def _follow(run: Run, name: str, step: Move, new: Values, does: Values) -> Moved:
    """Wait for the Job of a step."""
    result = run.finish(name, secrets=does.get("secrets") or (), lines=int(new["logLines"]))
    knows = manifest.remembered(new if result.complete else does)
    moved = Moved(step.since, step.initial, step.serial, knows, name, result.log)
    if result.complete:
        run.tidy(step.serial)
        return moved
    what = f"the Job {name}, which takes the schema {step.direction} from {step.since} to {step.target}, failed"
    log = f"; its last lines:\n{result.log}" if result.log else "; it has left no log"
    raise Failed(f"{what}: {result.reason}{log}", moved)


def _settled(standing: _Standing, old: Values, new: Values) -> Moved:
    """Return that nothing had to be done."""
    return Moved(
        since=old.get("previous", standing.before),
        initial=standing.initial,
        serial=standing.serial,
        knows=manifest.remembered(new),
        job=old.get("job", ""),
        log=old.get("log", ""),
    )
