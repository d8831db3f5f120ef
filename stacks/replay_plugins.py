"""Which provider plugins the engine would find, without asking it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path


def finder(environ: Mapping[str, str]) -> Callable[[str, str | None], bool]:
    """A function that answers whether a plugin is on PATH or in Pulumi's own folder.

    One on PATH serves every version, as for the engine itself. Without a version any installed one will do.

    Args:
        environ: the environment the engine will have.
    """
    home = environ.get("PULUMI_HOME")
    folder = (Path(home) if home else Path(environ.get("HOME") or Path.home()) / ".pulumi") / "plugins"

    def found(name: str, version: str | None) -> bool:
        if shutil.which(f"pulumi-resource-{name}", path=environ.get("PATH", os.defpath)):
            return True
        if version is not None:
            return (folder / f"resource-{name}-v{version}").is_dir()
        return any(folder.glob(f"resource-{name}-v*"))

    return found
