"""What the new slots of a launch run."""

from __future__ import annotations

import dataclasses

from components.platform import SlotSpec
from launch import releases
from launch.configuration.environment import ServiceSettings
from launch.earlier import slots_of
from launch.prepared import Prepared
from launch.releases import Resolved
from phases.kinds import PhaseKind
from phases.verbs import Deploy


def slot_specs(prepared: Prepared) -> dict[str, tuple[SlotSpec, ...]]:
    """Return, by deploy phase id, what its new slot runs; the phase's own service first, then its companions."""
    config, resolved = prepared.config, prepared.resolved
    found: dict[str, tuple[SlotSpec, ...]] = {}
    for phase in prepared.plan.phases:
        if phase.spec.kind is not PhaseKind.DEPLOY or phase.spec.program is not None:
            continue
        image = next((step.work.image for step in phase.steps if isinstance(step.work, Deploy)), None)
        if image is None:
            continue
        if phase.id == prepared.parts.main:
            own, others = _of_all_parts(prepared, resolved)
            for part, services in prepared.parts.services.items():
                found[part] = tuple(others[service] for service in services)
            found[phase.id] = (own, *found[phase.id])
        elif phase not in prepared.parts:
            other = image != resolved.release.image
            release = releases.resolve(image, config.spec, config.settings) if other else resolved
            service = release.release.name.rsplit("/", 1)[-1]
            again = _recorded(prepared, phase.id)
            found[phase.id] = again or (_new(prepared, release, config.settings.service, service),)
    return found


def _of_all_parts(prepared: Prepared, resolved: Resolved) -> tuple[SlotSpec, dict[str, SlotSpec]]:
    """Return what the service's own new slot runs, and by name those of its companions."""
    settings = prepared.config.settings
    again = _recorded(prepared, prepared.parts.main or "")
    if again:
        own, *others = again
        return own, {spec.service: spec for spec in others}
    return _new(prepared, resolved, settings.service, settings.service.name), {
        name: _new(prepared, item, settings.services[name], name) for name, item in prepared.companions.items()
    }


def _new(prepared: Prepared, release: Resolved, settings: ServiceSettings, service: str) -> SlotSpec:
    return releases.slot_spec(
        release,
        settings,
        slot=prepared.situation.new,
        service=service,
        given=_given(prepared, service),
        options=prepared.platform.slot_options(),
        secrets=prepared.config.secrets,
    )


def _recorded(prepared: Prepared, phase: str) -> tuple[SlotSpec, ...]:
    """Return what an earlier launch ran, configuration and secrets as they were, for the new slot."""
    if prepared.to is None:
        return ()
    return tuple(_again(prepared, spec) for spec in slots_of(prepared.to, phase))


def _again(prepared: Prepared, spec: SlotSpec) -> SlotSpec:
    if spec.adopted:
        return dataclasses.replace(spec, slot=prepared.situation.new)
    image = releases.find(spec.image, spec.digest, prepared.config.settings)
    return dataclasses.replace(spec, slot=prepared.situation.new, artifact=image.reference)


def _given(prepared: Prepared, service: str) -> dict[str, str]:
    """Return the environment variables that every service gets."""
    given = dict(prepared.platform.environment(service))
    if prepared.config.settings.database is not None:
        given["DATABASE_URL"] = prepared.config.settings.database.url
    return given
