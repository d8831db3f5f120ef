"""All kinds of registries. A new one is one module, one test, and one line here."""

from __future__ import annotations

import importlib
from typing import Final

from launch.configuration.environment import RegistrySettings
from launch.image_sources.base import ImageSource

KINDS: Final[dict[str, str]] = {
    "local": "launch.image_sources.local:of",
    "oci": "launch.image_sources.oci:of",
}
"""By the kind that `launch:registry` names; imported only when it is used."""


def source(settings: RegistrySettings) -> ImageSource:
    """Return the registry that images are launched from."""
    module, _, attribute = KINDS[settings.kind].partition(":")
    made: ImageSource = getattr(importlib.import_module(module), attribute)(settings)
    return made
