"""Pulumi's plugin for Kubernetes: the real one where it is, else the stand-in of the tests."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from bench.project import ROOT

NAME = "pulumi-resource-kubernetes"
STAND_IN = ROOT / "tests" / "plugins"


def is_real(environ: Mapping[str, str]) -> bool:
    """Whether the real one is on PATH or among Pulumi's plugins."""
    return shutil.which(NAME, path=environ.get("PATH")) is not None or _installed(environ)


def with_plugin(environ: Mapping[str, str]) -> dict[str, str]:
    """Return an environment in which the engine finds the CLI of this checkout, and one of the plugins."""
    own = [str(ROOT / ".tools" / "bin"), str(ROOT / ".venv" / "bin")]
    found = {key: value for key, value in environ.items() if not key.startswith("PULUMI_")}
    if _installed(environ):
        found["PULUMI_HOME"] = str(_home(environ))
    elif not is_real(environ):
        own.append(str(STAND_IN))
    found["PATH"] = os.pathsep.join([*own, environ.get("PATH", os.defpath)])
    return found


def _home(environ: Mapping[str, str]) -> Path:
    return Path(environ.get("PULUMI_HOME") or Path.home() / ".pulumi")


def _installed(environ: Mapping[str, str]) -> bool:
    return any((_home(environ) / "plugins").glob("resource-kubernetes-v*"))
