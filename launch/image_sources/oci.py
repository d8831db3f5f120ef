"""Images of containers, from any registry that speaks the OCI distribution API."""

from __future__ import annotations

import json
import os
import shlex

from launch.configuration.environment import RegistrySettings
from launch.image_sources.base import Image, NoSuchImage
from phases.errors import ConfigurationError
from phases.oci.registry import OciRegistry
from phases.oci.transport import RegistryUnavailable

REVISION = "dev.launch.revision"
"""Label of an image: the schema revision that it wants."""
FLAGS = "dev.launch.flags"
"""Label of an image: keys of the flags that it switches on, separated by commas."""
COMMAND = "dev.launch.command"
"""Label of an image: the program and its arguments, as a JSON list or a shell's words; without it, its entry point."""


class OciImages:
    """A registry of container images.

    Args:
        registry: reads them.
    """

    def __init__(self, registry: OciRegistry) -> None:
        self._registry = registry

    def resolve(self, image: str) -> Image:
        """Return what an image means now.

        Raises:
            NoSuchImage: it means nothing.
            ConfigurationError: the registry does not answer, or a label cannot be read.
        """
        try:
            found = self._registry.resolve(image)
        except LookupError as error:
            raise NoSuchImage(str(error)) from error
        except RegistryUnavailable as error:
            raise ConfigurationError(f"{error}; nothing was changed, try again") from error
        labels = found.labels
        return Image(
            reference=found.reference,
            digest=found.digest,
            needs_command=False,
            command=_command(labels.get(COMMAND, "")),
            revision=labels.get(REVISION) or None,
            flags=tuple(flag for part in labels.get(FLAGS, "").split(",") if (flag := part.strip())),
        )

    def digest(self, image: str) -> str:
        """Return the digest of an image.

        Raises:
            LookupError: there is no such image.
            RegistryUnavailable: the registry does not answer.
        """
        return self._registry.digest(image)


def of(settings: RegistrySettings) -> OciImages:
    """Return the registry that the environment's images are in."""
    return OciImages(OciRegistry(os.environ, prefix=settings.prefix, insecure=settings.insecure))


def _command(text: str) -> tuple[str, ...]:
    try:
        words = json.loads(text) if text.lstrip().startswith("[") else shlex.split(text)
    except ValueError as error:
        raise ConfigurationError(f"its label {COMMAND} is neither a JSON list nor a shell's words: {text!r}") from error
    if not all(isinstance(word, str) for word in words):
        raise ConfigurationError(f"its label {COMMAND} must be a list of texts, not {text!r}")
    return tuple(words)
