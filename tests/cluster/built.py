"""Where the programs of the control plane are, once `make cluster` has built them."""

from __future__ import annotations

import os
from pathlib import Path

_PLACE = Path(__file__).resolve().parents[2] / ".tools" / "cluster"
BIN = _PLACE / "bin"
CRDS = _PLACE / "crds"
PROGRAMS = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok")


def missing() -> list[str]:
    """Names of what is not built."""
    programs = [name for name in PROGRAMS if not os.access(BIN / name, os.X_OK)]
    return programs + ([] if CRDS.is_dir() else ["resource definitions"])


def required() -> bool:
    """Whether a test without the control plane is a failure, and not skipped."""
    return os.environ.get("CI") == "true" or os.environ.get("LAUNCH_CLUSTER") == "required"
