"""The engine's protocol without the rest of Pulumi's SDK, which takes half a second to import."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType


def without_the_sdk() -> None:
    """Make `pulumi.runtime.proto` importable alone: its parents become empty modules that only know their folders.

    Does nothing where the SDK is imported already, as in tests.
    """
    if "pulumi" in sys.modules:
        return
    found = importlib.util.find_spec("pulumi")
    if found is None or found.origin is None:
        raise ImportError("pulumi is not installed")
    folder = Path(found.origin).parent
    for name, path in (("pulumi", folder), ("pulumi.runtime", folder / "runtime")):
        module = ModuleType(name)
        module.__path__ = [str(path)]
        sys.modules[name] = module
