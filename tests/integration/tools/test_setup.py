"""What `make setup` shows of the commands that it runs."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[3]


@pytest.fixture
def setup(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script as a module, which finds what it shares with others beside it."""
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    spec = importlib.util.spec_from_file_location("setup_script", ROOT / "tools" / "setup.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_build_that_works_is_quiet(setup: ModuleType, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    code = "import sys; print('go: downloading'); print('more', file=sys.stderr)"
    setup.run_quietly([sys.executable, "-c", code], log=tmp_path / "build.log")
    assert capfd.readouterr() == ("", "")
    assert sorted((tmp_path / "build.log").read_text().split("\n")) == ["", "go: downloading", "more"]


def test_a_build_that_fails_shows_its_end_and_where_the_rest_is(
    setup: ModuleType, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "build.log"
    code = "print(*range(100), 'no such module', sep='\\n'); raise SystemExit(7)"
    with pytest.raises(subprocess.CalledProcessError) as caught:
        setup.run_quietly([sys.executable, "-c", code], log=log)
    assert caught.value.returncode == 7
    shown = capfd.readouterr().err.splitlines()
    assert shown[-2:] == ["no such module", f"setup: all of its output is in {log}"]
    assert len(shown) == sys.modules["steps"].SHOWN_LINES + 1


def test_the_cli_is_built_quietly(setup: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Go tells of several hundred downloads."""
    seen: list[Path] = []

    def build(argv: list[str], log: Path, **_: object) -> None:
        assert argv[:2] == ["go", "build"]
        seen.append(log)
        (tmp_path / "build" / "pulumi").touch()

    monkeypatch.setattr(setup, "TOOLS", tmp_path)
    monkeypatch.setattr(setup, "run_quietly", build)
    monkeypatch.setattr(setup.shutil, "which", lambda _: "/usr/bin/go")
    setup._build_cli()
    assert seen == [setup.BUILD_LOG]
    assert (tmp_path / "bin" / "pulumi").exists()
