"""What an artifact may say of itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from components.local.artifact import ArtifactError
from components.local.manifest import Manifest, ManifestReadiness, load


def _written(root: Path, text: str) -> Path:
    (root / "artifact.yaml").write_text(text)
    return root


def test_a_full_manifest(tmp_path: Path) -> None:
    (tmp_path / "migrations").mkdir()
    _written(
        tmp_path,
        """
        command: [python, server.py, "${PORT}"]
        migrations: migrations
        revision: "0002"
        flags: [new_checkout]
        readiness: {path: /ready, status: 204, timeout: 500ms}
        health: /health
        """,
    )
    assert load(tmp_path) == Manifest(
        command=("python", "server.py", "${PORT}"),
        migrations="migrations",
        revision="0002",
        flags=("new_checkout",),
        readiness=ManifestReadiness(path="/ready", status=204, timeout=0.5),
        health="/health",
    )


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "{}\n"])
def test_everything_is_optional(tmp_path: Path, text: str) -> None:
    assert load(_written(tmp_path, text)) == Manifest()
    assert Manifest().revision == "head"


def test_neither_a_file_nor_a_directory_needs_a_manifest(tmp_path: Path) -> None:
    (tmp_path / "shop").write_text("#!/bin/sh\n")
    assert load(tmp_path) == load(tmp_path / "shop") == Manifest()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("comand: [x]", "comand: there is no such key; there are command, migrations"),
        ("readiness: {paht: /}", "readiness.paht: there is no such key; there are path, status, timeout"),
        ("readiness: {path: ready}", "readiness.path: .*, but found 'ready'"),
        ("readiness: {timeout: soon}", "readiness.timeout: .*, but found 'soon'"),
        ("readiness: {timeout: 0s}", "readiness.timeout: .*greater than 0"),
        ("readiness: {status: 42}", "readiness.status: .*, but found 42"),
        ("command: []", "command: .*at least 1 item"),
        ("command: run.sh", "command: .*, but found 'run.sh'"),
        ("migrations: ../other", r"migrations: .*should be a path inside the artifact"),
        ("migrations: /srv/migrations", r"migrations: .*should be a path inside the artifact"),
        ("migrations: nowhere", "migrations: there is no directory 'nowhere' in the artifact"),
        ("- a list", "should hold keys such as `command:`, but holds list"),
        ("a: [", "is not readable YAML"),
    ],
)
def test_a_mistake_is_named_with_file_key_and_what_would_be_right(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ArtifactError, match=f"artifact.yaml:? .*{said}|artifact.yaml {said}"):
        load(_written(tmp_path, text))


def test_bytes_that_are_no_text_are_named(tmp_path: Path) -> None:
    (tmp_path / "artifact.yaml").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(ArtifactError, match="is not readable YAML"):
        load(tmp_path)
