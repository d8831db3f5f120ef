"""Which Pulumi CLI is used, and what is said when there is none."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from phases.errors import EngineMissing
from stacks import cli

Install = Callable[[str, str], Path]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Answers `pulumi version` from the file itself, and remembers who was asked."""
    seen: list[Path] = []

    def ask(path: Path, _environ: object) -> str | None:
        seen.append(path)
        return path.read_text(encoding="utf-8") or None

    monkeypatch.setattr(cli, "_ask", ask)
    return seen


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Puts a CLI of a version into a directory of the project, of this checkout, of PATH or of the home."""
    monkeypatch.setattr(cli, "__file__", str(tmp_path / "checkout" / "stacks" / "cli.py"))
    places = {
        "project": "project/.tools/bin",
        "checkout": "checkout/.tools/bin",
        "path": "path",
        "home": "home/.pulumi/bin",
    }

    def put(place: str, version: str) -> Path:
        executable = tmp_path / places[place] / "pulumi"
        executable.parent.mkdir(parents=True, exist_ok=True)
        executable.write_text(version, encoding="utf-8")
        executable.chmod(0o755)
        return executable

    return put


@pytest.fixture
def find(tmp_path: Path, asked: list[Path]) -> Callable[..., cli.Cli]:  # noqa: ARG001
    environ = {"PATH": str(tmp_path / "path"), "HOME": str(tmp_path / "home")}
    return lambda **options: cli.find(tmp_path / "project", environ=environ, **options)


def test_the_projects_own_copy_goes_before_all_others(install: Install, find: Callable[..., cli.Cli]) -> None:
    found = {}
    for place in ("home", "path", "checkout", "project"):
        found[place] = install(place, "3.259.0")
        assert find() == cli.Cli(found[place], "3.259.0")


def test_one_that_is_too_old_is_passed_over(install: Install, find: Callable[..., cli.Cli]) -> None:
    install("path", "3.100.0")
    usable = install("home", "3.206.0")

    assert find().path == usable


def test_with_none_the_message_says_how_to_get_one(
    install: Install,  # noqa: ARG001 - it hides the copy of this checkout
    find: Callable[..., cli.Cli],
) -> None:
    with pytest.raises(EngineMissing, match=r"3\.206\.0 or newer .*make setup.*pulumi\.com"):
        find()


@pytest.mark.parametrize(
    ("version", "reason"), [("3.1.0", "too old"), ("4.0.0", "drives version 3"), ("", "does not answer")]
)
def test_what_was_found_and_refused_is_named(
    install: Install, find: Callable[..., cli.Cli], version: str, reason: str
) -> None:
    refused = install("path", version)

    with pytest.raises(EngineMissing, match=reason) as caught:
        find()

    assert str(refused) in str(caught.value)


def test_a_version_is_asked_for_once_for_each_file(
    install: Install, find: Callable[..., cli.Cli], asked: list[Path], tmp_path: Path
) -> None:
    cache = tmp_path / "launch" / "versions.json"
    install("path", "3.259.0")

    find(cache=cache)
    find(cache=cache)
    assert len(asked) == 1

    install("path", "3.260.0")
    find(cache=cache)
    assert len(asked) == 2


def test_a_damaged_cache_is_ignored(install: Install, find: Callable[..., cli.Cli], tmp_path: Path) -> None:
    cache = tmp_path / "versions.json"
    cache.write_text("{", encoding="utf-8")
    install("path", "3.259.0")

    assert find(cache=cache).version == "3.259.0"


def test_a_cache_that_cannot_be_written_does_no_harm(
    install: Install, find: Callable[..., cli.Cli], tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    install("path", "3.259.0")

    assert find(cache=tmp_path / "file" / "versions.json").version == "3.259.0"
