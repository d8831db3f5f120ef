"""Puts an environment's settings over the sequence; later calls win, and each is one line of `merged`."""

from __future__ import annotations

from launch.configuration.environment import EnvironmentSettings
from launch.configuration.located import Located
from phases.kinds import PhaseKind
from phases.spec import LaunchSpec, PhaseSpec
from phases.thresholds import Thresholds


def overlaid(launch: Located, settings: Located) -> Located:
    """Return what `launch.yaml` says with what the environment says instead, each value with its own place.

    Nothing is judged here: what is no mapping or names no phase stays for the checks that follow.

    Args:
        launch: the mapping below `launch`.
        settings: the environment's keys without their namespace.
    """
    if not isinstance(launch.data, dict):
        return launch
    for key in ("tier", "keep_previous"):
        if settings.get((key,)) is not None:
            launch = launch.put((key,), settings.sub((key,)))
    launch = _with_flags(launch, settings)
    phases, overrides = launch.get(("phases",)), settings.get(("phases",))
    if isinstance(phases, list) and isinstance(overrides, dict):
        for number, phase in enumerate(phases):
            name = phase.get("id") if isinstance(phase, dict) else None
            if not isinstance(name, str):
                continue
            change = overrides.get(name)
            for key in change if isinstance(change, dict) else ():
                if key != "thresholds":  # these are not replaced but put over, see `limits`
                    launch = launch.put(("phases", number, key), settings.sub(("phases", name, key)))
    return launch


def _with_flags(launch: Located, settings: Located) -> Located:
    """A flag of the environment takes the place of the one with its key, or stands at the end."""
    mine, theirs = settings.get(("flags",)), launch.get(("flags",))
    if not isinstance(mine, list) or not isinstance(theirs, list | None):
        return launch
    keys = [flag.get("key") if isinstance(flag, dict) else None for flag in theirs or ()]
    for number, flag in enumerate(mine):
        key = flag.get("key") if isinstance(flag, dict) else None
        at = keys.index(key) if key is not None and key in keys else len(keys)
        if at == len(keys):
            keys.append(None)  # a key twice in one file stays, so that it is found
        launch = launch.put(("flags", at), settings.sub(("flags", number)))
    return launch


def limits(spec: LaunchSpec, settings: EnvironmentSettings, phase: PhaseSpec | None = None) -> Thresholds:
    """Return the limits that hold in a phase: the sequence's, then the tier's, the environment's, the phase's own."""
    override = settings.phases.get(phase.id) if phase is not None else None
    return cascade(
        spec.rollback_threshold,
        spec.tiers.get(spec.tier) if spec.tier is not None else None,
        settings.rollback_threshold,
        phase.thresholds if phase is not None else None,
        override.thresholds if override is not None else None,
    )


def cascade(first: Thresholds, *others: Thresholds | None) -> Thresholds:
    """Return the first limits with what each of the others sets put over them, in order."""
    for other in others:
        if other is not None:
            first = first.over(other)
    return first


def resolved(spec: LaunchSpec, settings: EnvironmentSettings) -> LaunchSpec:
    """Return the sequence with the limits of every phase complete, and the synthetic transactions of health phases."""
    phases = []
    for phase in spec.phases:
        change: dict[str, object] = {"thresholds": limits(spec, settings, phase)}
        if phase.kind is PhaseKind.HEALTH and phase.synthetic is None:
            change["synthetic"] = settings.synthetic
        phases.append(phase.model_copy(update=change))
    return spec.model_copy(update={"rollback_threshold": limits(spec, settings), "phases": tuple(phases)})
