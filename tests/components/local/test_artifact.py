"""What a digest covers, and what a copy of an artifact is worth."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from components.local.artifact import ArtifactError, copy, digest


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    root = tmp_path / "shop"
    (root / "lib").mkdir(parents=True)
    (root / "server.py").write_text("print('hello')\n")
    (root / "lib" / "prices.txt").write_text("1\n")
    return root


def test_the_digest_of_a_file_is_what_sha256sum_prints(tmp_path: Path) -> None:
    file = tmp_path / "shop"
    file.write_bytes(b"binary")
    assert digest(file) == f"sha256:{hashlib.sha256(b'binary').hexdigest()}"


def test_the_digest_of_a_directory_follows_its_documented_form(shop: Path) -> None:
    (shop / "start").write_text("#!/bin/sh\n")
    (shop / "start").chmod(0o755)
    (shop / "current").symlink_to("lib/prices.txt")

    def record(kind: str, content: bytes, path: str) -> bytes:
        return f"{kind} {hashlib.sha256(content).hexdigest()}  {path}".encode() + b"\0"

    expected = hashlib.sha256(
        record("l", b"lib/prices.txt", "current")
        + record("f", b"1\n", "lib/prices.txt")
        + record("f", b"print('hello')\n", "server.py")
        + record("x", b"#!/bin/sh\n", "start")
    )
    assert digest(shop) == f"sha256:{expected.hexdigest()}"


def test_where_an_artifact_lies_and_when_it_was_made_does_not_matter(shop: Path, tmp_path: Path) -> None:
    before = digest(shop)
    os.utime(shop / "server.py", (1, 1))
    assert digest(shop.rename(tmp_path / "elsewhere")) == before


@pytest.mark.parametrize(
    "leaving", ["__pycache__/server.cpython-311.pyc", "lib/__pycache__/x.txt", "lib/prices.pyc", "empty/"]
)
def test_the_leavings_of_a_run_do_not_count(shop: Path, leaving: str) -> None:
    before = digest(shop)
    path = shop / leaving
    path.parent.mkdir(parents=True, exist_ok=True)
    path.mkdir() if leaving.endswith("/") else path.write_text("bytecode")
    assert digest(shop) == before


def _edit(shop: Path) -> None:
    (shop / "server.py").write_text("print('hallo')\n")


def _rename(shop: Path) -> None:
    (shop / "server.py").rename(shop / "main.py")


def _make_executable(shop: Path) -> None:
    (shop / "server.py").chmod(0o755)


def _add(shop: Path) -> None:
    (shop / "lib" / "more.txt").touch()


def _link(shop: Path) -> None:
    (shop / "lib" / "prices.txt").rename(shop / "lib" / "old.txt")
    (shop / "lib" / "prices.txt").symlink_to("old.txt")


@pytest.mark.parametrize("change", [_edit, _rename, _make_executable, _add, _link])
def test_every_change_of_the_content_shows(shop: Path, change: object) -> None:
    before = digest(shop)
    assert callable(change)
    change(shop)
    assert digest(shop) != before


@pytest.mark.parametrize("target", ["/etc/hostname", "../outside", "lib/../../outside"])
def test_a_link_out_of_the_artifact_is_refused(shop: Path, target: str) -> None:
    (shop / "leak").symlink_to(target)
    with pytest.raises(ArtifactError, match="out of the artifact"):
        digest(shop)


def test_a_pipe_is_no_artifact(shop: Path, tmp_path: Path) -> None:
    os.mkfifo(shop / "pipe")
    with pytest.raises(ArtifactError, match="neither file, directory nor link"):
        digest(shop)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ArtifactError, match="neither a file nor a directory"):
        digest(tmp_path / "pipe")


def test_nothing_is_no_artifact(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="there is no artifact at"):
        digest(tmp_path / "nothing")


def test_a_copy_has_the_digest_of_its_source(shop: Path, tmp_path: Path) -> None:
    (shop / "start").write_text("#!/bin/sh\n")
    (shop / "start").chmod(0o755)
    (shop / "current").symlink_to("lib/prices.txt")
    (shop / "__pycache__").mkdir()
    copy(shop, tmp_path / "slot" / "shop", expected=digest(shop))
    assert digest(tmp_path / "slot" / "shop") == digest(shop)
    assert not (tmp_path / "slot" / "shop" / "__pycache__").exists()


def test_a_file_keeps_its_mode_when_it_is_copied(tmp_path: Path) -> None:
    file = tmp_path / "shop"
    file.write_bytes(b"binary")
    file.chmod(0o755)
    copy(file, tmp_path / "slot" / "shop", expected=digest(file))
    assert os.access(tmp_path / "slot" / "shop", os.X_OK)


def test_a_source_that_is_not_what_was_pinned_leaves_no_copy(shop: Path, tmp_path: Path) -> None:
    pinned = digest(shop)
    _edit(shop)
    with pytest.raises(ArtifactError, match="changed after it was pinned"):
        copy(shop, tmp_path / "slot" / "shop", expected=pinned)
    assert list((tmp_path / "slot").iterdir()) == []


def test_a_copy_that_is_there_does_not_need_its_source(shop: Path, tmp_path: Path) -> None:
    pinned = digest(shop)
    copy(shop, tmp_path / "slot" / "shop", expected=pinned)
    shop.rename(tmp_path / "removed")
    copy(shop, tmp_path / "slot" / "shop", expected=pinned)


def test_a_damaged_copy_is_made_anew(shop: Path, tmp_path: Path) -> None:
    pinned = digest(shop)
    target = tmp_path / "slot" / "shop"
    copy(shop, target, expected=pinned)
    (target / "server.py").write_text("")
    copy(shop, target, expected=pinned)
    assert digest(target) == pinned


def test_copying_nothing_says_so(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="there is no artifact at"):
        copy(tmp_path / "nothing", tmp_path / "slot", expected="sha256:0")


def test_a_place_that_cannot_be_written_is_named(shop: Path, tmp_path: Path) -> None:
    (tmp_path / "slot").write_text("a file where a directory should be")
    with pytest.raises(ArtifactError, match="cannot copy"):
        copy(shop, tmp_path / "slot" / "shop", expected=digest(shop))
