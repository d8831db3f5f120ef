"""Names that must exist elsewhere: flags, tiers, phases, files.

They are looked up in the raw data, so that no mistake hides another. What is not well formed is left to the models.
"""

from __future__ import annotations

import string
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from launch.configuration.environment import RegistrySettings
from launch.configuration.locate import environments
from launch.configuration.located import Keys, Located
from launch.configuration.problems import Mark, Problem, listed, nearest, shown
from phases.kinds import PhaseKind
from phases.transactions import TransactionsError, load


def problems(launch: Located, settings: Located, *, root: Path, environment: str) -> Iterator[Problem]:
    """Find names that nothing is called.

    Args:
        launch: the sequence with the environment's settings over it.
        settings: the environment's keys without their namespace.
        root: the project's directory.
        environment: the environment.
    """
    registries = _registries(settings)
    flags = [str(flag.get("key")) for _, flag in _entries(launch, ("flags",))]
    tiers = launch.get(("tiers",))
    tier = launch.get(("tier",))
    if isinstance(tier, str) and isinstance(tiers, dict | None) and tier not in (tiers or {}):
        yield _unknown(launch, ("tier",), tier, tiers or {}, "the tiers of launch.tiers are")
    for number, phase in _entries(launch, ("phases",)):
        yield from _of_phase(launch, ("phases", number), phase, flags, registries, root=root)
        if _migrates(phase) and settings.get(("database",)) is None:
            yield Problem(
                launch.mark(("phases", number)),
                f"the phase migrates a schema, and Pulumi.{environment}.yaml has no launch:database; write there "
                "launch:database: {url: ...}",
            )
    ids = [phase["id"] for _, phase in _entries(launch, ("phases",)) if isinstance(phase.get("id"), str)]
    overrides = settings.get(("phases",))
    for name in overrides if isinstance(overrides, dict) else ():
        if name not in ids:
            yield _unknown(settings, ("phases", name), name, ids, "the phases of the launch are")
    for number, phase in _entries(launch, ("phases",)):
        yield from _shared_stack(launch, ("phases", number, "id"), phase.get("id"), root=root, environment=environment)
    yield from _transactions(settings, ("synthetic",), root)
    scripts = settings.get(keys := ("database", "scripts"))
    if isinstance(scripts, str) and not (root / scripts).is_dir():
        yield Problem(settings.mark(keys), f"found {shown(scripts)}; there is no such directory in the project's")


def _of_phase(
    launch: Located,
    keys: Keys,
    phase: Mapping[str, Any],
    flags: Collection[str],
    registries: Collection[str],
    *,
    root: Path,
) -> Iterator[Problem]:
    for number, _ in _entries(launch, (*keys, "steps")):
        yield from _unknown_flags(launch, (*keys, "steps", number, "flags"), flags)
    for number, validator in _entries(launch, (*keys, "validators")):
        if validator.get("type") == "feature_flag_evaluation":
            yield from _unknown_flags(launch, (*keys, "validators", number, "config", "flags"), flags)
        if validator.get("type") == "image_digest":
            name = launch.get(at := (*keys, "validators", number, "config", "registry"))
            if isinstance(name, str) and name not in registries:
                yield Problem(
                    launch.mark(at),
                    f"found {shown(name)}{nearest(name, registries)}; the registries are "
                    f"{listed(filter(None, registries))}; launch:registry: {{aliases: [{name}]}} "
                    "in the environment's settings adds this name",
                )
    if phase.get("synthetic") is not None:
        yield from _transactions(launch, (*keys, "synthetic"), root)


def _unknown_flags(launch: Located, keys: Keys, flags: Collection[str]) -> Iterator[Problem]:
    named = launch.get(keys)
    for number, flag in enumerate(named if isinstance(named, list) else ()):
        at: Keys = (*keys, number)
        if isinstance(flag, dict):
            at, flag = (*at, "key"), flag.get("key")  # noqa: PLW2901 - the same flag, written at length
        if isinstance(flag, str) and flag not in flags:
            yield _unknown(launch, at, flag, flags, "the flags of launch.flags and launch:flags are")


def _registries(settings: Located) -> tuple[str, ...]:
    aliases = settings.get(("registry", "aliases"))
    named = [alias for alias in aliases if isinstance(alias, str)] if isinstance(aliases, list) else []
    return RegistrySettings.model_construct(aliases=tuple(named)).names


def _migrates(phase: Mapping[str, Any]) -> bool:
    if phase.get("program") is not None:
        return False
    actions = phase.get("actions")
    execute = actions.get("execute") if isinstance(actions, dict) else None
    if isinstance(execute, str):
        return execute.split()[:1] == ["run_migration"]
    return execute is None and PhaseKind.MIGRATION in (
        phase.get("kind"),
        phase.get("id") if "kind" not in phase else None,
    )


def _transactions(tree: Located, keys: Keys, root: Path) -> Iterator[Problem]:
    """Find a file of synthetic transactions that is not there, or is not right."""
    name = tree.get(keys)
    if not isinstance(name, str):
        return
    if not (root / name).is_file():
        yield Problem(tree.mark(keys), f"found {shown(name)}; there is no such file in the project's directory")
        return
    try:
        load(root / name)
    except TransactionsError as error:
        message = str(error).removeprefix(str(error.path)).lstrip(f":{string.digits} ")
        yield Problem(Mark(name, error.line), message)


def _shared_stack(tree: Located, keys: Keys, phase: object, *, root: Path, environment: str) -> Iterator[Problem]:
    """Find another environment whose name is the name of one of this one's stacks, or the other way round."""
    for other in environments(root):
        if other in (f"{environment}-{phase}", environment.removesuffix(f"-{phase}")) and other != environment:
            yield Problem(
                tree.mark(keys),
                f"found {shown(phase)}; the stack of this phase and the environment "
                f"{max(other, environment, key=len)} would be the same; give one of them another name",
            )


def _unknown(tree: Located, keys: Keys, name: str, known: Collection[str], what: str) -> Problem:
    return Problem(tree.mark(keys), f"found {shown(name)}{nearest(name, known)}; {what} {listed(known, none='none')}")


def _entries(tree: Located, keys: Keys) -> Iterator[tuple[int, dict[str, Any]]]:
    items = tree.get(keys)
    for number, item in enumerate(items if isinstance(items, list) else ()):
        if isinstance(item, dict):
            yield number, item
