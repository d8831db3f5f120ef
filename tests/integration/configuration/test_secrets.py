"""Settings written by Pulumi's own command line, secrets included, become a configuration; nothing of them leaks."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from launch.config import Config, load
from phases.errors import ConfigurationError
from stacks.engine import Engine
from stacks.settings import read_settings

pytestmark = pytest.mark.integration

TOKEN = "hush-hush-4711"
URL = "postgresql://shop:p%40ss-word@db.example/shop"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    path = tmp_path / "project"
    path.mkdir()
    (path / "Pulumi.yaml").write_text("name: shop\nruntime: python\n", encoding="utf-8")
    (path / "launch.yaml").write_text("launch:\n  phases:\n  - id: health\n", encoding="utf-8")
    return path


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    home, state = tmp_path / "home", tmp_path / "state"
    home.mkdir()
    state.mkdir()
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("PULUMI_")}
    return {
        **inherited,
        "HOME": str(home),
        "PULUMI_BACKEND_URL": f"file://{state}",
        "PULUMI_CONFIG_PASSPHRASE": "a passphrase of the team",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
    }


@pytest.fixture
def pulumi(root: Path, environ: dict[str, str]) -> Path:
    """Write the environment's settings as a user would, with the command line."""
    program = Engine(project="shop", root=root, environ=environ).cli.path

    def run(*args: str) -> None:
        subprocess.run([program, "--non-interactive", *args], cwd=root, env=environ, check=True, capture_output=True)

    run("stack", "init", "dev")
    run("config", "set", "--stack", "dev", "launch:history", "3")
    run("config", "set", "--stack", "dev", "--path", "launch:service.environment.LOG", "info")
    run("config", "set", "--stack", "dev", "--secret", "--path", "launch:service.environment.TOKEN", TOKEN)
    run("config", "set", "--stack", "dev", "--secret", "--path", "launch:database.url", URL)
    run("config", "set", "--stack", "dev", "--secret", "other:key", "of-somebody-else")
    return root / "Pulumi.dev.yaml"


def configuration(root: Path, environ: dict[str, str]) -> Config:
    engine = Engine(project="shop", root=root, environ=environ, settings=read_settings(root, "dev"))
    return load("dev", root=root, environ=environ, config_values=engine.config("dev"))


def test_what_the_command_line_wrote_is_what_a_launch_reads(root: Path, environ: dict[str, str], pulumi: Path) -> None:
    before = pulumi.read_bytes()
    assert TOKEN.encode() not in before
    config = configuration(root, environ)
    assert config.settings.history == 3
    assert config.settings.service.environment == {"LOG": "info", "TOKEN": TOKEN}
    assert config.settings.database is not None
    assert config.settings.database.url == URL
    assert set(config.secrets) == {TOKEN, URL, "p%40ss-word", "p@ss-word", "of-somebody-else"}
    assert pulumi.read_bytes() == before


def test_reading_leaves_no_secret_in_any_file(
    root: Path, environ: dict[str, str], pulumi: Path, tmp_path: Path
) -> None:
    configuration(root, environ)
    for path in filter(Path.is_file, tmp_path.rglob("*")):
        content = path.read_bytes()
        assert TOKEN.encode() not in content, path
        assert b"p%40ss-word" not in content, path
    assert pulumi.exists()


def test_a_mistake_beside_secrets_has_its_line_and_shows_none(
    root: Path, environ: dict[str, str], pulumi: Path
) -> None:
    lines = [*pulumi.read_text(encoding="utf-8").splitlines(), "  launch:histroy: 5"]
    # Pulumi writes `config` last or with the salt above it; the new key belongs to `config` either way.
    pulumi.write_text("\n".join(lines) + "\n", encoding="utf-8")
    with pytest.raises(ConfigurationError) as error:
        configuration(root, environ)
    assert str(error.value).startswith(
        f"Pulumi.dev.yaml:{len(lines)}: launch:histroy: there is no such key (did you mean history?)"
    )
    assert TOKEN not in str(error.value)
