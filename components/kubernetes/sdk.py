"""Loads what the components use of pulumi-kubernetes, one thread at a time.

The SDK's modules load themselves when something of theirs is first looked up (`pulumi._utils.lazy_import`), and a
second thread that looks meanwhile finds half a module: "has no attribute 'ObjectMetaArgs'". The programs of a launch
run on threads of their own, two stacks' at once.
"""

from __future__ import annotations

import importlib
import threading
from typing import Final

_GROUPS: Final = ("meta", "core", "apps", "autoscaling", "policy", "apiextensions")
_USED: Final = (*_GROUPS, "meta.v1", "core.v1", "apps.v1", "autoscaling.v2", "policy.v1", "apiextensions.v1")
"""What the components name, and what those modules' own types refer to."""

_lock = threading.Lock()


def load() -> None:
    """Load them, or wait until another thread has; takes no time once they are loaded."""
    with _lock:
        for name in _USED:
            hasattr(importlib.import_module(f"pulumi_kubernetes.{name}"), "whatever")  # looks something up
