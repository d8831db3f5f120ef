"""Where stack states live: who decides, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from phases.errors import ConfigurationError
from stacks import backend


def chosen(root: Path, *, explicit: str | None = None, **environ: str) -> backend.Backend:
    return backend.choose(root, root / ".launch", explicit=explicit, environ=environ)


def test_nobody_says_anything(tmp_path: Path) -> None:
    assert chosen(tmp_path) == backend.Backend(f"file://{tmp_path}/.launch/state", "default")
    assert chosen(tmp_path).directory == tmp_path / ".launch" / "state"


def test_the_project_the_environment_and_the_argument_in_rising_order(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: shop\nbackend: {url: 's3://project'}\n", encoding="utf-8")

    assert chosen(tmp_path).url == "s3://project"
    assert chosen(tmp_path, PULUMI_BACKEND_URL="s3://environment").url == "s3://environment"
    assert chosen(tmp_path, explicit="s3://argument", PULUMI_BACKEND_URL="s3://environment").url == "s3://argument"


def test_an_empty_variable_decides_nothing(tmp_path: Path) -> None:
    assert chosen(tmp_path, PULUMI_BACKEND_URL=" ").source == "default"


@pytest.mark.parametrize("url", ["file://./.launch/state", "file://.launch/state", "file://x/../.launch/state"])
def test_a_relative_directory_starts_at_the_project(tmp_path: Path, url: str) -> None:
    (tmp_path / "Pulumi.yaml").write_text(f"name: shop\nbackend: {{url: '{url}'}}\n", encoding="utf-8")

    assert chosen(tmp_path).url == f"file://{tmp_path}/.launch/state"


def test_the_users_home_is_understood(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ana")

    assert chosen(tmp_path, explicit="file://~").url == "file:///home/ana"


@pytest.mark.parametrize("url", ["/srv/state", "state", "file://", "s3:bucket"])
def test_what_is_no_url_is_refused_with_examples(tmp_path: Path, url: str) -> None:
    with pytest.raises(ConfigurationError, match=r"PULUMI_BACKEND_URL is .*s3://bucket"):
        chosen(tmp_path, PULUMI_BACKEND_URL=url)


def test_a_broken_project_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: [\n", encoding="utf-8")

    with pytest.raises(ConfigurationError, match=r"Pulumi\.yaml cannot be read"):
        chosen(tmp_path)


@pytest.mark.parametrize(
    ("url", "is_cloud", "is_local"),
    [("https://api.pulumi.com", True, False), ("s3://bucket?region=x", False, False), ("file:///srv", False, True)],
)
def test_backends_are_told_apart(url: str, is_cloud: bool, is_local: bool) -> None:
    found = backend.Backend(url, "argument")

    assert found.is_cloud is is_cloud
    assert (found.directory is not None) is is_local


@pytest.mark.parametrize(
    ("url", "engine_url"),
    [
        ("file:///srv/state", "file:///srv/state?metadata=skip"),
        ("file:///srv/state?no_tmp_dir=true", "file:///srv/state?no_tmp_dir=true&metadata=skip"),
        ("file:///srv/state?metadata=", "file:///srv/state?metadata="),
        ("s3://bucket?region=x", "s3://bucket?region=x"),
    ],
)
def test_a_directory_holds_no_second_file_that_a_killed_engine_could_leave_empty(url: str, engine_url: str) -> None:
    assert backend.Backend(url, "argument").engine_url == engine_url
