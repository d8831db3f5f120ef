"""Who owns a place in the file system."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from components.provider.ownership import NAME, claim, foreign, owned, remove
from components.provider.resource import ResourceFailure


def test_the_last_to_claim_a_place_owns_it(tmp_path: Path) -> None:
    marker = tmp_path / "slot" / NAME
    first = claim(marker)
    assert owned(marker, first)
    second = claim(marker)
    assert owned(marker, second)
    assert not owned(marker, first)


def test_a_place_without_a_mark_is_everybodys(tmp_path: Path) -> None:
    assert owned(tmp_path / NAME, "anything")
    (tmp_path / "file").write_text("")
    assert owned(tmp_path / "file" / NAME, "anything")


def test_a_directory_with_files_and_without_a_mark_is_foreign(tmp_path: Path) -> None:
    assert not foreign(tmp_path / "nothing")
    assert not foreign(tmp_path)
    (tmp_path / "letter.txt").touch()
    assert foreign(tmp_path)
    claim(tmp_path / NAME)
    assert not foreign(tmp_path)


def test_a_claim_that_was_killed_makes_no_place_foreign(tmp_path: Path) -> None:
    (tmp_path / f"{NAME}.123.part").touch()
    assert not foreign(tmp_path)


def test_our_own_directory_is_removed_and_no_other(tmp_path: Path) -> None:
    slot = tmp_path / "slot"
    claim(slot / NAME)
    (slot / "artifacts").mkdir()
    (slot / "artifacts" / "file").touch()
    (slot / "link").symlink_to(tmp_path)
    remove(slot)
    assert list(tmp_path.iterdir()) == []

    (tmp_path / "letter.txt").touch()
    remove(tmp_path)
    assert (tmp_path / "letter.txt").exists()


def test_what_cannot_be_removed_is_still_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    claim(tmp_path / NAME)
    (tmp_path / "artifacts").mkdir()

    def refuse(path: Path) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(shutil, "rmtree", refuse)
    with pytest.raises(ResourceFailure, match=r"cannot be removed: .*Permission denied"):
        remove(tmp_path)
    assert not foreign(tmp_path)
