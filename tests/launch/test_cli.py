"""The command line as people meet it: help, typos, completion, and the first files of a project."""

from __future__ import annotations

import errno
import io
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from components.platforms import PLATFORMS
from launch import edge, scaffold
from launch.cli import COMMANDS
from launch.config import load
from launch.log_view import print_logs
from launch.taking_over import Standing
from phases.errors import EXIT_USAGE
from stacks.ledger import Entry

HEAVY = ("pulumi", "sqlalchemy", "alembic", "aiohttp", "openfeature", "sqlglot", "regopy", "rich", "pydantic", "grpc")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_help_names_every_command_without_loading_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in [name for name in sys.modules if name.split(".")[0] in HEAVY or name.startswith("launch.commands.")]:
        monkeypatch.delitem(sys.modules, name)
    assert edge.run(["--help"]) == 0
    shown = capsys.readouterr().out
    assert all(f"  {name} " in shown for name in COMMANDS)
    assert not [name for name in sys.modules if name.split(".")[0] in HEAVY or name.startswith("launch.commands.")]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert edge.run([name, "--help"]) == 0
    assert "Usage: python -m launch " + name in capsys.readouterr().out


def test_a_mistyped_command_is_answered_with_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert edge.run(["upp", "dev"]) == EXIT_USAGE
    assert "Did you mean 'up'?" in capsys.readouterr().err


def test_a_mistyped_environment_is_answered_with_those_there_are(project: Path) -> None:
    assert edge.run(["init", "--scenario", "minimal"]) == 0
    (project / "Pulumi.prod.yaml").write_text("config: {}\n", encoding="utf-8")
    with pytest.raises(Exception, match="dev, prod"):
        load("prodd", root=project, environ={}, image="shop:1.0")


@pytest.mark.parametrize(
    ("words", "index", "expected"),
    [("launch hi", 1, ["history"]), ("launch up p", 2, ["prod"]), ("launch up ", 2, ["dev", "prod"])],
)
def test_shells_are_told_what_could_come_next(
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: str,
    index: int,
    expected: list[str],
) -> None:
    for name in ("dev", "prod"):
        (project / f"Pulumi.{name}.yaml").write_text("", encoding="utf-8")
    monkeypatch.setenv(edge.COMPLETE_VARIABLE, "bash_complete")
    monkeypatch.setenv("COMP_WORDS", words)
    monkeypatch.setenv("COMP_CWORD", str(index))
    with pytest.raises(SystemExit) as stopped:
        edge.run([])
    assert stopped.value.code == 0
    assert [line.partition(",")[2] for line in capsys.readouterr().out.splitlines()] == expected


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts_ask_this_python(
    shell: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from click.shell_completion import BashComplete

    monkeypatch.setattr(BashComplete, "_check_version", staticmethod(lambda: None))  # it would start bash
    assert edge.run(["completion", shell]) == 0
    script = capsys.readouterr().out
    assert f"{sys.executable} -m launch" in script
    assert f"{edge.COMPLETE_VARIABLE}={shell}_complete" in script
    assert f"{shell}_complete launch" not in script
    assert f"{shell}_complete $1" not in script


@pytest.mark.parametrize("platform", sorted(PLATFORMS))
@pytest.mark.parametrize("scenario", scaffold.scenarios())
def test_every_scenario_is_a_launch_that_can_be_read_on_every_platform(
    scenario: str, platform: str, project: Path
) -> None:
    assert edge.run(["init", "--scenario", scenario, "--platform", platform]) == 0
    config = load("dev", root=project, environ={}, image="shop:1.0", config_values={})
    assert config.spec.phases


def test_init_overwrites_nothing_unasked(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "launch.yaml").write_text("mine\n", encoding="utf-8")
    assert edge.run(["init"]) == EXIT_USAGE
    assert "launch.yaml" in capsys.readouterr().err
    assert [path.name for path in project.iterdir()] == ["launch.yaml"]
    assert edge.run(["init", "--force"]) == 0
    assert (project / "launch.yaml").read_text(encoding="utf-8") != "mine\n"


@pytest.mark.parametrize(
    "name", ["status", "history", "logs", "pause", "promote", "resume", "abort", "down", "check", "plan", "up"]
)
def test_a_mistyped_environment_is_no_quiet_one(
    name: str, project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nobody wants to hear that prdo has nothing to abort."""

    class Nothing:
        def __init__(self, *_: object) -> None:
            pass

        def stack(self, _: str) -> None:
            return None

        def stacks(self) -> tuple[str, ...]:
            return ()

        def config(self, _: str) -> dict[str, str]:
            return {}

        def read(self) -> Entry:
            return Entry()

    for module in ("launch.asked", "launch.taking_over"):
        monkeypatch.setattr(f"{module}.engine_for", lambda *_: Nothing())
    monkeypatch.setattr("launch.taking_over.Ledger", Nothing)
    (project / "Pulumi.yaml").write_text("name: shop\nruntime: python\n", encoding="utf-8")
    (project / "Pulumi.prod.yaml").write_text("config: {}\n", encoding="utf-8")
    assert edge.run([name, "prdo"]) == EXIT_USAGE
    assert "did you mean prod?" in capsys.readouterr().err


def test_where_nobody_hears_what_is_wrong_the_exit_code_still_tells(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The terminal was closed: every write to it is an error."""

    class Closed(io.StringIO):
        def write(self, _: str) -> int:
            raise OSError(errno.EIO, "Input/output error")

    (project / "Pulumi.yaml").write_text("name: shop\nruntime: python\n", encoding="utf-8")
    monkeypatch.setattr(sys, "stderr", Closed())
    assert edge.run(["init", "--scenario", "canari"]) == EXIT_USAGE


def test_logs_say_that_nothing_runs(capsys: pytest.CaptureFixture[str]) -> None:
    nothing = cast("Standing", SimpleNamespace(record=None))
    assert print_logs(nothing, {"environment": "dev"}, slot=None, count=5, follow=True) == 0
    assert capsys.readouterr() == ("", "nothing runs in dev\n")


def test_what_launch_keeps_in_a_project_stays_out_of_its_repository(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It holds the key to the secrets."""
    assert edge.run(["init"]) == 0
    assert (project / ".gitignore").read_text() == ".launch/\n"
    assert "add .launch/" not in capsys.readouterr().out
    (project / ".gitignore").write_text("build/\n")
    assert edge.run(["init", "--force"]) == 0
    assert (project / ".gitignore").read_text() == "build/\n"
    assert "add .launch/ to .gitignore" in capsys.readouterr().out


def test_an_unknown_scenario_lists_those_there_are(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert edge.run(["init", "--scenario", "canari"]) == EXIT_USAGE
    told = capsys.readouterr().err
    assert "did you mean 'canary'?" in told
    assert ", ".join(scaffold.scenarios()) in told
    assert not list(project.iterdir())


@pytest.mark.usefixtures("project")
def test_an_unknown_platform_lists_those_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert edge.run(["init", "--platform", "moon"]) == EXIT_USAGE
    assert "local" in capsys.readouterr().err
