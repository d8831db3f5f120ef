"""What `status` shows: the launch, and what the stacks say runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from launch.survey import THREADS, stack_name
from launch.taking_over import Standing
from phases.durations import show
from phases.kinds import PhaseKind
from phases.record import LaunchRecord


def overview(standing: Standing) -> dict[str, Any]:
    """Return the object that `status --output json` prints."""
    record = standing.record
    kinds = {phase.kind: phase.id for phase in reversed(record.phases)} if record is not None else {}
    wanted = [kinds[kind] for kind in (PhaseKind.TRAFFIC, PhaseKind.MIGRATION) if kind in kinds]
    deploys = [phase.id for phase in (record.phases if record else ()) if phase.kind is PhaseKind.DEPLOY]
    wanted += deploys
    with ThreadPoolExecutor(THREADS) as pool:
        handles = [standing.engine.stack(stack_name(standing.asked.environment, phase)) for phase in wanted]
        outputs = dict(zip(wanted, pool.map(lambda handle: handle.outputs(), handles), strict=True))
    slots = _of(outputs, kinds.get(PhaseKind.DEPLOY), "slots")
    companions = {name: its for phase in deploys for name, its in _of(outputs, phase, "companions").items()}
    routers = _of(outputs, kinds.get(PhaseKind.TRAFFIC), "routers")
    weights = _of(outputs, kinds.get(PhaseKind.TRAFFIC), "weights")
    flags = _of(outputs, kinds.get(PhaseKind.TRAFFIC), "flags")
    traffic = outputs.get(kinds.get(PhaseKind.TRAFFIC, ""), {})
    return {
        "launch": record.id if record else None,
        "environment": standing.asked.environment,
        "state": record.state.value if record else "IDLE",
        "reason": record.reason if record else "",
        "phases": [
            {"id": phase.id, "state": phase.state.value, "reason": phase.reason}
            for phase in (record.phases if record else ())
        ],
        "traffic": _traffic(slots, weights),
        "services": [
            {
                "service": service,
                "traffic": _traffic(its, weights if len(its) > 1 else dict.fromkeys(its, 100)),
                "url": routers.get(service, {}).get("url"),
            }
            for service, its in sorted(companions.items())
        ],
        "flags": [{"key": key, "state": variant} for key, variant in sorted(flags.items())],
        "schema": {"revision": outputs.get(kinds.get(PhaseKind.MIGRATION, ""), {}).get("revision")},
        "url": traffic.get("url"),
        "metrics": traffic.get("admin"),
    }


def _traffic(slots: Mapping[str, Mapping[str, Any]], weights: Mapping[str, float]) -> list[dict[str, Any]]:
    return [
        {"slot": slot, "image": entry.get("image"), "weight": round(weights.get(slot, 0)), "url": entry.get("url")}
        for slot, entry in sorted(slots.items())
    ]


def _of(outputs: Mapping[str, Mapping[str, Any]], phase: str | None, key: str) -> Mapping[str, Any]:
    found = outputs.get(phase or "", {}).get(key)
    return found if isinstance(found, Mapping) else {}


def lines(seen: Mapping[str, Any], standing: Standing) -> Iterator[str]:
    """Return the overview for people."""
    record = standing.record
    if record is None:
        yield f"{seen['environment']}: nothing was ever launched here; `python -m launch up {seen['environment']}`"
        return
    took = f" in {show((record.ended - record.started).total_seconds())}" if record.ended else ""
    yield f"{seen['environment']}: {record.state}{took}: {record.release.image} (launch {record.id}, by {record.by})"
    if record.reason:
        yield f"  {record.reason}"
    for item in record.left:
        yield f"  left: {item}"
    width = max((len(phase.id) for phase in record.phases), default=0)
    for phase in record.phases:
        yield f"  {phase.id:<{width}}  {phase.state:<11}  {phase.reason}"
    yield from _world(seen)
    if standing.unfinished and not standing.alive:
        yield f"  {_left_alone(record, standing)}"


def _left_alone(record: LaunchRecord, standing: Standing) -> str:
    """Return how to go on with a launch that no process of this machine works on."""
    go_on = f"`python -m launch resume {record.environment}` goes on, `abort {record.environment}` goes back"
    if standing.is_here or record.interrupted or not record.owns:
        return f"no process works on it: {go_on}"
    return (
        f"its process (pid {record.pid}) is on {record.host} and cannot be seen from here; where it is gone, {go_on}, "
        "both with --take-over"
    )


def _world(seen: Mapping[str, Any]) -> Iterator[str]:
    for slot in seen["traffic"]:
        yield f"  slot {_slot(slot)}"
    for other in seen["services"]:
        for slot in other["traffic"]:
            yield f"  {other['service']}, slot {_slot(slot)}"
    if seen["flags"]:
        yield "  flags: " + ", ".join(f"{flag['key']} {flag['state']}" for flag in seen["flags"])
    if seen["schema"]["revision"]:
        yield f"  schema: {seen['schema']['revision']}"
    if seen["url"]:
        metrics = f"   metrics: {seen['metrics']}/metrics" if seen["metrics"] else ""
        yield f"  users: {seen['url']}{metrics}"


def _slot(slot: Mapping[str, Any]) -> str:
    return f"{slot['slot']}: {slot['image']}, {slot['weight']}% of users, {slot['url']}"
