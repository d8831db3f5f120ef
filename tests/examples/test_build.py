"""The demo's artifacts."""

from __future__ import annotations

from pathlib import Path

import pytest

from components.local.artifact import digest
from components.local.registry import Registry
from examples.shop.build import ABOUT, BEFORE, build, files


@pytest.mark.parametrize("version", BEFORE)
def test_a_version_has_the_same_digest_wherever_it_is_built(version: str, tmp_path: Path) -> None:
    assert digest(build(version, tmp_path / "one")) == digest(build(version, tmp_path / "two"))


def test_every_version_differs_from_every_other(tmp_path: Path) -> None:
    assert len({digest(build(version, tmp_path)) for version in BEFORE}) == len(BEFORE) == len(ABOUT)


def test_building_again_touches_nothing(tmp_path: Path) -> None:
    """A running launch has pinned it."""
    made = build("2.0", tmp_path)
    before = {path: path.stat().st_mtime_ns for path in made.rglob("*")}
    assert build("2.0", tmp_path) == made
    assert {path: path.stat().st_mtime_ns for path in made.rglob("*")} == before


def test_what_was_changed_by_hand_is_made_right(tmp_path: Path) -> None:
    wanted = digest(build("2.0", tmp_path))
    (tmp_path / "shop" / "2.0" / "release.py").write_text("VERSION = '9'\n")
    (tmp_path / "shop" / "2.0" / "stray.py").write_text("")
    assert digest(build("2.0", tmp_path)) == wanted


def test_the_registry_knows_what_each_version_needs(tmp_path: Path) -> None:
    for version in BEFORE:
        build(version, tmp_path)
    found = {tag: Registry(tmp_path).resolve(f"shop:{tag}").manifest for tag in Registry(tmp_path).tags("shop")}
    assert {tag: (manifest.revision, manifest.flags) for tag, manifest in found.items()} == {
        "1.0": ("0001", ()),
        "2.0": ("0002", ("new_checkout",)),
        "2.1": ("0002", ("new_checkout",)),
        "2.2": ("0002", ("new_checkout",)),
        "2.3": ("0002", ("new_checkout",)),
        "2.4": ("0003", ("new_checkout",)),
    }


@pytest.mark.parametrize(
    ("version", "changed"),
    [
        ("2.1", {"checkout.py", "release.py"}),
        ("2.2", {"checkout.py", "release.py"}),
        ("2.3", {"health.py", "release.py"}),
        ("2.4", {"artifact.yaml", "checkout.py", "release.py", "migrations/versions/0003_contact.py"}),
    ],
)
def test_a_bad_version_is_2_0_but_for_its_mistake(version: str, changed: set[str]) -> None:
    good, bad = files("2.0"), files(version)
    assert {name for name in bad if good.get(name) != bad[name]} == changed
