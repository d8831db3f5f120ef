"""From an image to a release: pinned by digest, with its schema revision and its flags, before anything is changed."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from components.platform import ReadinessSpec, SlotSpec
from launch.configuration.environment import EnvironmentSettings, ServiceSettings
from launch.image_sources.base import Image, ImageSource, NoSuchImage
from launch.image_sources.registry import source
from phases.errors import ConfigurationError
from phases.gates.base import Release
from phases.record import ReleaseRecord
from phases.spec import LaunchSpec

_QUESTIONS = 8
"""How many images a registry is asked for at once; each takes two questions, a few hundredths of a second away."""


@dataclass(frozen=True, slots=True)
class Resolved:
    """A release and where it is."""

    release: Release
    image: Image
    scripts: Path | None
    """Its migrations; None where there is no database, or it has none."""


def resolve(image: str, spec: LaunchSpec, settings: EnvironmentSettings) -> Resolved:
    """Return what `image` is now.

    Raises:
        ConfigurationError: there is no such image, or it uses a flag that nobody defined.
    """
    try:
        found = source(settings.registry).resolve(image)
    except (NoSuchImage, ConfigurationError) as error:
        raise ConfigurationError(f"image {image!r}: {error}") from error
    scripts = _scripts(found, settings)
    flags = _flags(found, spec, image)
    return Resolved(Release(image, found.digest, _revision(found, scripts, image, settings), flags), found, scripts)


def companions(settings: EnvironmentSettings, pins: Mapping[str, ReleaseRecord]) -> dict[str, Resolved]:
    """Return the services that are launched together with the environment's, by their names.

    Args:
        settings: of the environment.
        pins: what they were when the launch started, where it goes on.

    Raises:
        ConfigurationError: there is no such image.
    """
    registry = source(settings.registry)  # one for all: it keeps its connections and its token

    def resolved(name: str, image: str) -> Resolved:
        pin = pins.get(name)
        try:
            found = _again(registry, pin.image, pin.digest) if pin else registry.resolve(image)
        except (NoSuchImage, ConfigurationError) as error:
            raise ConfigurationError(f"launch:services.{name}: image {image!r}: {error}") from error
        return Resolved(Release(pin.image if pin else image, found.digest), found, None)

    with ThreadPoolExecutor(_QUESTIONS) as pool:  # starts no thread where there is nothing to ask
        asked = {name: pool.submit(resolved, name, service.image) for name, service in settings.services.items()}
        try:
            return {name: answer.result() for name, answer in asked.items()}
        finally:
            pool.shutdown(cancel_futures=True)  # after the first mistake nobody asks for the rest


def pinned(release: ReleaseRecord, settings: EnvironmentSettings) -> Resolved:
    """Return a release that was pinned before, whatever its tag means by now.

    Raises:
        ConfigurationError: nothing in the registry has that digest any more.
    """
    found = find(release.image, release.digest, settings)
    scripts = _scripts(found, settings)
    revision = release.revision or _revision(found, scripts, release.image, settings)
    return Resolved(Release(release.image, release.digest, revision, release.flags), found, scripts)


def find(image: str, digest: str, settings: EnvironmentSettings) -> Image:
    """Return the image of a release that was pinned before; another tag may have its digest by now.

    Raises:
        ConfigurationError: nothing in the registry has that digest any more.
    """
    return _again(source(settings.registry), image, digest)


def _again(registry: ImageSource, image: str, digest: str) -> Image:
    try:
        return registry.resolve(f"{Release(image, digest).name}@{digest}")
    except (NoSuchImage, ConfigurationError) as error:
        raise ConfigurationError(f"image {image!r} as it was launched is gone from the registry: {error}") from error


def slot_spec(
    resolved: Resolved,
    settings: ServiceSettings,
    *,
    slot: str,
    service: str,
    given: Mapping[str, str],
    options: Mapping[str, Any],
    secrets: tuple[str, ...],
) -> SlotSpec:
    """Return what runs in a slot: what the environment says goes before what the image says.

    Args:
        resolved: the release.
        settings: of the service.
        slot: name of the slot.
        service: name of the service.
        given: environment variables that the launch itself provides; the settings' own go before them.
        options: what else the platform wants to know of it.
        secrets: values that are secret.

    Raises:
        ConfigurationError: nobody says what to run.
    """
    image = resolved.image
    command = settings.command or image.command
    if not command and image.needs_command:
        raise ConfigurationError(
            f"nobody says how to start {resolved.release.image}: write `command: [...]` into its artifact.yaml, or "
            "`launch:service: {command: [...]}` into the environment's settings"
        )
    environment = {**given, **settings.environment}
    readiness = settings.readiness
    ready = ReadinessSpec(readiness.path, readiness.status, readiness.timeout, readiness.interval)
    if image.readiness is not None and "readiness" not in settings.model_fields_set:
        ready = image.readiness
    return SlotSpec(
        service=service,
        slot=slot,
        image=resolved.release.image,
        digest=resolved.release.digest,
        artifact=image.reference,
        command=tuple(command),
        environment=environment,
        secret_keys=tuple(key for key, value in environment.items() if any(part in value for part in secrets if part)),
        readiness=ready,
        options=options,
    )


def _scripts(image: Image, settings: EnvironmentSettings) -> Path | None:
    if settings.database is None:
        return None
    return settings.database.scripts or image.migrations


def _revision(image: Image, scripts: Path | None, name: str, settings: EnvironmentSettings) -> str | None:
    if settings.database is None:
        return None
    if scripts is None:
        return image.revision if settings.moves_schema_by_image else None
    from components.schema.errors import SchemaError
    from components.schema.scripts import resolve as resolve_revision

    try:
        return resolve_revision(scripts, image.revision or "head")
    except SchemaError as error:
        raise ConfigurationError(f"image {name!r}: {error}") from error


def _flags(image: Image, spec: LaunchSpec, name: str) -> tuple[str, ...]:
    unknown = [key for key in image.flags if spec.flag(key) is None]
    if unknown:
        defined = ", ".join(flag.key for flag in spec.flags) or "none"
        raise ConfigurationError(
            f"image {name!r} uses the flag {unknown[0]!r}, which nobody defined; defined are: {defined}. "
            "Add it to `launch.flags`, or to `launch:flags` of the environment"
        )
    return image.flags
