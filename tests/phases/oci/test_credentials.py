"""Who may read from a registry, as other tools have left it on this machine."""

from __future__ import annotations

import base64
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from phases.oci.credentials import Credentials, find

AUTH = base64.b64encode(b"anna:pass:word").decode()


def config(path: Path, content: Any) -> Path:  # noqa: ANN401
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))
    return path


def test_reads_what_docker_login_wrote(tmp_path: Path) -> None:
    config(tmp_path / ".docker/config.json", {"auths": {"ghcr.io": {"auth": AUTH}}})
    assert find("ghcr.io", {"HOME": str(tmp_path)}) == Credentials("anna", "pass:word")
    assert find("quay.io", {"HOME": str(tmp_path)}) is None


def test_reads_docker_hubs_under_its_old_name(tmp_path: Path) -> None:
    config(tmp_path / "config.json", {"auths": {"https://index.docker.io/v1/": {"auth": AUTH}}})
    assert find("docker.io", {"DOCKER_CONFIG": str(tmp_path)}) == Credentials("anna", "pass:word")


def test_reads_what_podman_login_wrote(tmp_path: Path) -> None:
    config(tmp_path / "containers/auth.json", {"auths": {"quay.io": {"username": "bert", "password": "x"}}})
    assert find("quay.io", {"XDG_RUNTIME_DIR": str(tmp_path)}) == Credentials("bert", "x")


def test_an_identity_token_is_one(tmp_path: Path) -> None:
    content = {"auths": {"a.azurecr.io": {"auth": base64.b64encode(b"0000:").decode(), "identitytoken": "t"}}}
    file = config(tmp_path / "auth", content)
    assert find("a.azurecr.io", {"REGISTRY_AUTH_FILE": str(file)}) == Credentials("0000", "", "t")


def test_asks_the_helper_of_a_registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[list[str], str]] = []

    def run(args: list[str], *, input: str, **_: Any) -> subprocess.CompletedProcess[str]:  # noqa: A002, ANN401
        asked.append((args, input))
        return subprocess.CompletedProcess(args, 0, json.dumps({"Username": "AWS", "Secret": "s3cret"}))

    monkeypatch.setattr(subprocess, "run", run)
    config(tmp_path / "config.json", {"credHelpers": {"1.dkr.ecr.aws": "ecr-login"}, "credsStore": "desktop"})
    found = find("1.dkr.ecr.aws", {"DOCKER_CONFIG": str(tmp_path)})
    assert found == Credentials("AWS", "s3cret")
    assert asked == [(["docker-credential-ecr-login", "get"], "1.dkr.ecr.aws")]


def test_a_helper_that_is_not_there_knows_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: Any, **__: Any) -> None:  # noqa: ANN401
        raise FileNotFoundError

    monkeypatch.setattr(subprocess, "run", missing)
    config(tmp_path / "config.json", {"credsStore": "desktop"})
    assert find("ghcr.io", {"DOCKER_CONFIG": str(tmp_path)}) is None


@pytest.mark.parametrize("text", ["", "[]", "{", '{"auths": {"ghcr.io": {"auth": "%%%"}}}', '{"auths": null}'])
def test_a_broken_file_is_no_error_of_ours(tmp_path: Path, text: str) -> None:
    (tmp_path / "config.json").write_text(text)
    assert find("ghcr.io", {"DOCKER_CONFIG": str(tmp_path)}) is None


def test_passwords_are_not_shown() -> None:
    assert "s3cret" not in repr(Credentials("anna", "s3cret", "s3cret"))
