"""The engine's private directories: made once, kept as the engine left them, and open to nobody else."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
import yaml

from stacks import workdir
from stacks.updates import StackSettings

SALT = StackSettings(secretsprovider="passphrase", encryptionsalt="v1:abc")


def prepare(tmp_path: Path, settings: StackSettings = SALT) -> Path:
    directory = tmp_path / "work" / "dev"
    return workdir.prepare(directory, project="shop", root=tmp_path, stack="ana/shop/dev", settings=settings)


def read(path: Path) -> object:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def test_a_work_directory_names_the_project_and_how_secrets_are_encrypted(tmp_path: Path) -> None:
    directory = prepare(tmp_path)

    project = read(directory / "Pulumi.yaml")
    assert isinstance(project, dict)
    assert (project["name"], project["runtime"], project["main"]) == ("shop", "python", str(tmp_path))
    assert read(directory / "Pulumi.dev.yaml") == {"secretsprovider": "passphrase", "encryptionsalt": "v1:abc"}
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in directory.iterdir()} == {0o600}


def test_what_the_engine_added_stays(tmp_path: Path) -> None:
    directory = prepare(tmp_path)
    settings = directory / "Pulumi.dev.yaml"
    settings.write_text("secretsprovider: passphrase\nencryptionsalt: v1:abc\nconfig: {a: 1}\n", encoding="utf-8")

    prepare(tmp_path)

    assert "config: {a: 1}" in settings.read_text(encoding="utf-8")


def test_without_settings_the_engine_writes_its_own(tmp_path: Path) -> None:
    directory = prepare(tmp_path, StackSettings())

    assert [path.name for path in directory.iterdir()] == ["Pulumi.yaml"]


@pytest.mark.parametrize("damaged", ["", "{", "encryptionsalt: v1:other\n"])
def test_settings_that_are_not_the_environments_are_replaced(tmp_path: Path, damaged: str) -> None:
    settings = prepare(tmp_path) / "Pulumi.dev.yaml"
    settings.write_text(damaged, encoding="utf-8")

    prepare(tmp_path)

    assert read(settings) == {"secretsprovider": "passphrase", "encryptionsalt": "v1:abc"}


def test_removing_twice_is_removing(tmp_path: Path) -> None:
    directory = prepare(tmp_path)

    workdir.remove(directory)
    workdir.remove(directory)

    assert not directory.exists()


def test_the_private_home_shares_the_users_plugins(tmp_path: Path) -> None:
    plugins = tmp_path / "user" / ".pulumi" / "plugins"
    plugins.mkdir(parents=True)
    environ = {"HOME": str(tmp_path / "user")}

    workdir.engine_home(tmp_path / "launch", environ)
    home = workdir.engine_home(tmp_path / "launch", environ)

    assert (home / "plugins").resolve() == plugins


def test_the_private_home_of_a_newcomer_is_empty(tmp_path: Path) -> None:
    home = workdir.engine_home(tmp_path / "launch", {"HOME": str(tmp_path)})

    assert list(home.iterdir()) == []


@pytest.mark.parametrize(("name", "short"), [("dev", "dev"), ("ana/shop/dev", "dev")])
def test_files_are_named_by_the_last_part_of_a_stacks_name(name: str, short: str) -> None:
    assert workdir.short_name(name) == short
