"""Builds the versions of shop: `python examples/shop/build.py [REGISTRY]`.

A version is what its folder in `versions/` holds, over what the version before it holds; so a folder shows what a
version changed, and nothing else. The result is the same bytes every time: an artifact keeps its digest.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

SOURCES = Path(__file__).parent / "versions"
REGISTRY = Path(".launch/registry")
NAME = "shop"

BEFORE: dict[str, str | None] = {
    "1.0": None,
    "2.0": "1.0",
    "2.1": "2.0",
    "2.2": "2.0",
    "2.3": "2.0",
    "2.4": "2.0",
}
"""Every version, and the one it was made from."""

ABOUT = {
    "1.0": "good",
    "2.0": "good; adds a column, and a new checkout behind a flag",
    "2.1": "fails 5% of its checkouts",
    "2.2": "gets slow, while no request fails",
    "2.3": "starts, but does not become healthy",
    "2.4": "renames a column that users depend on",
}


def build(version: str, registry: Path) -> Path:
    """Write the artifact of a version, and return its directory. One that is there and the same is left alone.

    Raises:
        KeyError: there is no such version.
    """
    wanted = files(version)
    target = registry / NAME / version
    if {str(path.relative_to(target)): path.read_bytes() for path in _files(target)} == {
        name: source.read_bytes() for name, source in wanted.items()
    }:
        return target
    scratch = target.with_name(f".{version}.part")
    shutil.rmtree(scratch, ignore_errors=True)
    for name, source in wanted.items():
        place = scratch / name
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, place)
    shutil.rmtree(target, ignore_errors=True)
    scratch.rename(target)
    return target


def files(version: str) -> dict[str, Path]:
    """Return the files of a version: the path in the artifact, and where it comes from.

    Raises:
        KeyError: there is no such version.
    """
    before = BEFORE[version]
    inherited = files(before) if before else {}
    root = SOURCES / version
    return inherited | {str(path.relative_to(root)): path for path in _files(root)}


def _files(root: Path) -> Iterator[Path]:
    for path in sorted(root.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            yield path


if __name__ == "__main__":
    registry = Path(sys.argv[1]) if len(sys.argv) > 1 else REGISTRY
    for version in BEFORE:
        print(f"{build(version, registry)}: {ABOUT[version]}")
