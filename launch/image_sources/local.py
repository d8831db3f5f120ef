"""Images of the local platform: artifacts in a directory."""

from __future__ import annotations

from pathlib import Path

from components.local.artifact import ArtifactError
from components.local.registry import Artifact, ArtifactNotFound, Registry
from components.platform import ReadinessSpec
from launch.configuration.environment import RegistrySettings
from launch.image_sources.base import Image, NoSuchImage
from phases.errors import ConfigurationError


class LocalImages:
    """The local registry.

    Args:
        root: its directory.
    """

    def __init__(self, root: Path) -> None:
        self._registry = Registry(root)

    def resolve(self, image: str) -> Image:
        """Return the artifact that an image means now.

        Raises:
            NoSuchImage: there is none.
            ConfigurationError: it cannot be used.
        """
        try:
            return _image(self._registry.resolve(image))
        except ArtifactNotFound as error:
            raise NoSuchImage(str(error)) from error
        except ArtifactError as error:
            raise ConfigurationError(str(error)) from error

    def digest(self, image: str) -> str:
        """Return the digest of an image.

        Raises:
            LookupError: there is no such image.
        """
        try:
            return self._registry.resolve(image).digest
        except ArtifactError as error:
            raise LookupError(str(error)) from error


def of(settings: RegistrySettings) -> LocalImages:
    """Return the registry in the environment's directory."""
    return LocalImages(settings.path)


def _image(artifact: Artifact) -> Image:
    manifest = artifact.manifest
    ready = manifest.readiness
    return Image(
        reference=str(artifact.path),
        digest=artifact.digest,
        command=tuple(manifest.command or ()),
        readiness=None if ready is None else ReadinessSpec(ready.path, ready.status, ready.timeout),
        migrations=artifact.path / manifest.migrations if manifest.migrations else None,
        revision=manifest.revision,
        flags=manifest.flags,
    )
