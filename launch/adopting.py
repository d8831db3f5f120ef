"""What already runs becomes the first slot: from then on it is what a launch starts from and can go back to."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ulid import ULID

from components.platform import Platform, PlatformError, SlotSpec
from components.platforms import platform
from launch import identity, survey
from launch.asked import Asked
from launch.config import Config, load
from launch.journal import dump
from launch.situation import Situation, flags_spec
from launch.taking_over import Standing
from phases.clock import SystemClock
from phases.errors import ConfigurationError, EnvironmentBusy
from phases.kinds import PhaseKind
from phases.record import LaunchRecord, PhaseRecord, ReleaseRecord
from phases.states import LaunchState, PhaseState
from stacks import deploy, traffic
from stacks.ledger import Vault, describe
from stacks.marker import KEY, Marker

SLOT = survey.SLOTS[0]


def adopt(asked: Asked, say: Callable[[str], None]) -> bool:
    """Take what the environment's settings name into the stacks, unchanged, with all users on it.

    Killed in the middle it can be asked for again: what is there already is left as it is.

    Args:
        asked: which environment.
        say: told what was done.

    Returns:
        Whether anything was to be done.

    Raises:
        ConfigurationError: nothing is named, or what is named cannot be a slot.
        EnvironmentBusy: a launch owns the environment.
    """
    standing = Standing(asked)
    if standing.unfinished:
        raise EnvironmentBusy(
            f"{describe(standing.entry.record or {})}; finish or abort it first",
            launch=(standing.entry.record or {}).get("id"),
        )
    values = standing.engine.config(asked.environment)
    config = load(
        asked.environment,
        root=asked.root,
        config=asked.config,
        image=asked.image,
        sets=asked.sets,
        environ=asked.environ,
        config_values=values,
        image_needed=False,
    )
    names = [survey.first(config.spec, kind) for kind in (PhaseKind.DEPLOY, PhaseKind.TRAFFIC)]
    now = survey.take(standing.engine, asked.environment, config.spec, [name for name in names if name is not None])
    if now.live is not None:
        if standing.record is None and now.slots[now.live].get("spec"):
            # It was killed between the last update and its record.
            taken = now.outputs(now.traffic).get(KEY) or {}
            _note(standing, config, str(taken.get("id") or ULID()), now.slots[now.live], say)
        return False
    where = platform(config.settings.platform, standing.paths.platform, config.settings.of_platform)
    try:
        found = where.adopted(config.settings.service.name, SLOT)
    except PlatformError as error:
        raise ConfigurationError(str(error)) from error
    if found is None:
        raise ConfigurationError(
            f"nothing says what is to be adopted in {asked.environment}: write launch:kubernetes: "
            "{adopt: {deployment: NAME, service: NAME}}"
        )
    launch = _take_in(standing, config, where, found, now, say)
    _note(standing, config, launch, {"image": found.image, "digest": found.digest, "slot": found.slot}, say)
    return True


def _take_in(
    standing: Standing, config: Config, where: Platform, found: SlotSpec, now: survey.Survey, say: Callable[[str], None]
) -> str:
    """Update both stacks, and return the id that their history has it under."""
    launch, environment = str(ULID()), standing.asked.environment
    if now.deploy is None or now.traffic is None:
        raise ConfigurationError(
            "adopting needs a deploy and a traffic phase: the slot is in one, its users in the other"
        )
    deployed = standing.engine.stack(survey.stack_name(environment, now.deploy))
    deployed.update(
        deploy.program(where, service=found.service, marker=Marker(launch, now.deploy, "adopt"), kept=[found]),
        message=f"{launch} adopt {found.image} as slot {found.slot}",
    )
    say(f"{found.image} is slot {found.slot}, as it runs")
    situation = Situation(new=survey.SLOTS[1], old=found.slot)
    situation.learn_deploy(deployed.outputs())
    variants = situation.defaults(config.spec)
    routed = standing.engine.stack(survey.stack_name(environment, now.traffic))
    routed.update(
        traffic.program(
            where,
            split=situation.split(found.service, {found.slot: 100}, config.settings.router),
            flags=flags_spec(found.service, config.spec, variants),
            variants=variants,
            marker=Marker(launch, now.traffic, "adopt"),
        ),
        message=f"{launch} adopt: all users on slot {found.slot}",
    )
    say(f"all users are on slot {found.slot}")
    return launch


def _note(standing: Standing, config: Config, launch: str, slot: Mapping[str, str], say: Callable[[str], None]) -> None:
    """Record it as a completed launch, so that a later one can be followed by going back to it."""
    clock, own = SystemClock(), identity.own(standing.asked.environ, standing.asked.root)
    kinds = (PhaseKind.DEPLOY, PhaseKind.TRAFFIC)
    phases = ((kind, survey.first(config.spec, kind)) for kind in kinds)
    now = clock.now()
    record = LaunchRecord(
        id=launch,
        environment=standing.asked.environment,
        state=LaunchState.COMPLETED,
        reason="adopted as it ran",
        release=ReleaseRecord(image=slot["image"], digest=slot.get("digest", "")),
        slot=slot.get("slot", SLOT),
        started=now,
        ended=now,
        by=own.by,
        host=own.host,
        pid=own.pid,
        process_started=own.process_started,
        source=own.source,
        phases=tuple(
            PhaseRecord(id=phase, kind=kind, state=PhaseState.VERIFIED) for kind, phase in phases if phase is not None
        ),
    )
    message = f"{launch} launch COMPLETED {record.release.image}, adopted as it ran"
    standing.ledger.begin(dump(record), Vault(), seen=None, message=message)
    say(f"recorded as launch {launch}: `launch rollback` goes back to it once another one has completed")
