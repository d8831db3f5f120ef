"""All platforms. A new one is one folder and one line here."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Final

from components.platform import Platform

PLATFORMS: Final[dict[str, str]] = {
    "kubernetes": "components.kubernetes.platform:KubernetesPlatform",
    "local": "components.local.platform:LocalPlatform",
}
"""By the name that `launch:platform` uses; imported only when one is used, since cloud SDKs cost seconds."""


def platform(name: str, directory: Path, settings: object | None = None) -> Platform:
    """Return the platform of that name.

    Args:
        name: one of `PLATFORMS`.
        directory: the environment's private directory on this machine, which is all that `local` is told.
        settings: the platform's own settings, of a platform that has some.

    Raises:
        KeyError: there is no such platform.
    """
    module, _, attribute = PLATFORMS[name].partition(":")
    kind = getattr(importlib.import_module(module), attribute)
    made: Platform = kind(directory) if settings is None else kind(settings, directory)
    return made
