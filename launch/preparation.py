"""Everything a launch needs, found and checked before anything is changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from components.platforms import platform
from launch import parts, releases, survey
from launch.asked import Asked, engine_for
from launch.config import Config, load
from launch.configuration.locate import environment_file
from launch.earlier import archived as archived_launch
from launch.earlier import last_record, release_of, running, slots_of
from launch.parts import Parts
from launch.paths import Paths
from launch.prepared import Prepared
from launch.releases import Resolved
from launch.situation import Situation
from launch.slot_specs import slot_specs
from launch.survey import Survey
from phases import plan as plans
from phases.record import LaunchRecord, ReleaseRecord
from stacks.engine import Engine
from stacks.ledger import Archived, Entry, Ledger
from stacks.replay_values import plain
from stacks.updates import ConfigValue


def prepare(
    asked: Asked,
    *,
    engine: Engine | None = None,
    to: str | None = None,
    values: Mapping[str, ConfigValue] | None = None,
) -> Prepared:
    """Read and check everything; nothing is changed.

    Args:
        asked: what was asked for.
        engine: the door to the engine, where there is one already.
        to: id of an earlier launch to go back to.
        values: the environment's configuration, where it was pinned.

    Raises:
        ConfigurationError: something is wrong; the message says where and what would be right.
    """
    engine = engine or engine_for(asked.root, asked.environment, asked.environ)
    if values is None:
        values = engine.config(asked.environment)
    companions: dict[str, Resolved] | None = None
    if to is None and asked.taken is None:
        # A mistake stops here: before the ledger is looked for, and so before anything is made for it.
        early = _load(asked, values, image=asked.image, previous=None)
        releases.resolve(early.image, early.spec, early.settings)
        companions = releases.companions(early.settings, {})
    ledger = Ledger(engine.stack(asked.environment))
    entry = ledger.read()
    last = last_record(entry)
    archived = archived_launch(entry, to, asked.environment) if to is not None else None
    image = archived.image if archived else asked.image
    config = _load(asked, values, image=image, previous=running(last), image_wins=archived is not None)
    pinned = asked.pinned or (release_of(archived, config) if archived else None)
    resolved = (
        releases.pinned(pinned, config.settings)
        if pinned is not None
        else releases.resolve(config.image, config.spec, config.settings)
    )
    if companions is None or pinned is not None:
        companions = releases.companions(config.settings, pinned.companions if pinned else {})
    return _put_together(asked, engine, ledger, entry, last, config, resolved, companions, archived, values)


def _load(
    asked: Asked,
    values: Mapping[str, ConfigValue],
    *,
    image: str | None,
    previous: ReleaseRecord | None,
    image_wins: bool = False,
) -> Config:
    return load(
        asked.environment,
        root=asked.root,
        config=asked.config,
        image=image,
        sets=asked.sets,
        environ=asked.environ,
        config_values=values,
        previous_image=previous.image if previous else None,
        environment_source=asked.environment_source,
        image_wins=image_wins,
    )


def _put_together(
    asked: Asked,
    engine: Engine,
    ledger: Ledger,
    entry: Entry,
    last: LaunchRecord | None,
    config: Config,
    resolved: Resolved,
    companions: Mapping[str, Resolved],
    archived: Archived | None,
    values: Mapping[str, ConfigValue],
) -> Prepared:
    # What to plan depends on what runs, and what to read depends on what the plan changes: the stacks' names come
    # from a plan for a first launch, which changes the same ones.
    draft = plans.build(config.spec, resolved.release, plans.Situation())
    stacks = list(dict.fromkeys(phase.stack for phase in draft.phases if phase.stack is not None))
    now = survey.take(engine, asked.environment, config.spec, stacks)
    spread, now = _parts(asked, engine, config, now, archived)
    if spread.main is not None:
        config = replace(config, spec=parts.spread(config.spec, spread.main, spread.services))
    taken = asked.taken
    situation = Situation(new=taken.slot, old=taken.old_slot) if taken else Situation(new=now.new, old=now.live)
    situation.learn_deploy(now.outputs(now.deploy))
    situation.learn_traffic(now.outputs(now.traffic))
    for part in spread.others:
        situation.learn_part(part, now.outputs(part))
    situation.outputs = {phase: now.outputs(phase) for phase in now.checkpoints}
    if archived is not None:
        flags = (
            plain(checkpoint.outputs.get("flags")) if (checkpoint := archived.checkpoint(now.traffic or "")) else None
        )
        situation.wanted = flags if isinstance(flags, Mapping) else {}
    if taken is not None:
        previous = taken.previous.image if taken.previous else None
    else:
        previous = (now.slots.get(now.live) or {}).get("image") if now.live else None
    schema_last = taken.schema_last if taken is not None else _goes_down(now, resolved)
    plan = plans.build(
        config.spec,
        resolved.release,
        plans.Situation(previous_image=previous, schema_last=schema_last),
    )
    paths = Paths(config.root, config.environment)
    prepared = Prepared(
        asked=asked,
        config=config,
        engine=engine,
        ledger=ledger,
        entry=entry,
        last=last,
        survey=now,
        resolved=resolved,
        plan=plan,
        situation=situation,
        platform=platform(config.settings.platform, paths.platform, config.settings.of_platform),
        slots={},
        companions=companions,
        parts=spread,
        pinned=_pinned(config, asked, values, archived.launch if archived else None),
        to=archived,
        schema_last=schema_last,
    )
    prepared.slots = slot_specs(prepared)
    return prepared


def _parts(
    asked: Asked, engine: Engine, config: Config, now: Survey, archived: Archived | None
) -> tuple[Parts, Survey]:
    """Return which part of the deploy phase each companion is in, and the survey with all parts' stacks."""
    main = next((phase for phase in config.spec.phases if phase.id == now.deploy), None)
    if main is None or main.program is not None:
        return Parts(), now
    count = max(int(now.outputs(main.id).get("parts") or 1), parts.recorded(main.id, asked.taken))
    there = [parts.part_id(main.id, number) for number in range(1, count + 1)]
    now = now.joined(survey.take(engine, asked.environment, config.spec, there[1:]))
    earlier = slots_of(archived, main.id) if archived is not None else ()
    services = parts.assigned(
        main.id,
        [spec.service for spec in earlier[1:]] if earlier else config.settings.services,
        {part: now.companions(part) for part in there},
        size=config.settings.services_per_stack,
    )
    new = [part for part in services if part not in now.checkpoints]
    return Parts(main.id, services), now.joined(survey.take(engine, asked.environment, config.spec, new))


def _goes_down(now: Survey, resolved: Resolved) -> bool:
    """Return whether the release wants an older schema than the one that is there.

    Then its migration comes last: the newer version cannot live with the older schema, the older can with the newer.
    """
    current = now.outputs(now.migration).get("revision")
    if resolved.scripts is None or not isinstance(current, str):
        return False
    from components.schema.scripts import knows, path_down

    if not knows(resolved.scripts, current):
        return True
    return resolved.release.revision in path_down(resolved.scripts, current)[1:]


def _pinned(config: Config, asked: Asked, values: Mapping[str, ConfigValue], to: str | None) -> dict[str, Any]:
    """Return what the configuration was made of, so that it can be made again from the same."""
    environment_source = asked.environment_source or environment_file(config.root, config.environment)
    return {
        "launch": config.source.read_text(encoding="utf-8"),
        "environment": environment_source.read_text(encoding="utf-8"),
        # Only what the file itself does not show has to be kept.
        "secrets": {key: value.value for key, value in values.items() if value.secret},
        "image": config.image,
        "sets": {**asked.sets, **config.variables},
        "to": to,
    }
