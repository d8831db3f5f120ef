"""Scripts are kept for the way down, when what they came with is gone."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from components.schema import kept, origin
from components.schema.errors import ScriptsError

WriteScripts = Callable[..., Path]

SOURCE = "def upgrade():\n    pass\n"


def test_the_same_scripts_are_kept_once(write_scripts: WriteScripts, tmp_path: Path) -> None:
    scripts = write_scripts({"0001": SOURCE})
    first = kept.keep(scripts, tmp_path / "state")
    (scripts / "versions" / "__pycache__").mkdir()
    (scripts / "versions" / "__pycache__" / "0001.pyc").write_bytes(b"x")

    assert kept.keep(scripts, tmp_path / "state") == first
    assert kept.digest_of(first.path) == first.digest
    assert kept.copies(tmp_path / "state") == (first.path,)
    assert not list(first.path.rglob("*.pyc"))


def test_names_and_contents_both_count(write_scripts: WriteScripts) -> None:
    scripts = write_scripts({"0001": SOURCE})
    before = kept.digest_of(scripts)
    file = scripts / "versions" / "0001_step.py"
    file.rename(file.with_name("0001_other.py"))
    renamed = kept.digest_of(scripts)
    file.with_name("0001_other.py").write_text("x", encoding="utf-8")

    assert len({before, renamed, kept.digest_of(scripts)}) == 3


def test_the_original_is_used_while_it_is_what_it_was(write_scripts: WriteScripts, tmp_path: Path) -> None:
    scripts, state = write_scripts({"0001": SOURCE}), tmp_path / "state"
    copy = kept.keep(scripts, state)

    assert kept.usable(scripts, state, digest=copy.digest) == scripts
    assert kept.secure(scripts, state) == kept.Kept(copy.digest, scripts)
    write_scripts({"0001": "changed = True\n"})
    assert kept.usable(scripts, state, digest=copy.digest) == copy.path
    shutil.rmtree(scripts)
    assert kept.usable(scripts, state) == copy.path
    assert kept.secure(scripts, state) == copy


def test_without_either_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(ScriptsError, match="is gone"):
        kept.usable(tmp_path / "nowhere", tmp_path / "state")
    with pytest.raises(ScriptsError, match="does not exist"):
        kept.keep(tmp_path / "nowhere", tmp_path / "state")


def test_a_damaged_index_is_no_index(write_scripts: WriteScripts, tmp_path: Path) -> None:
    scripts, state = write_scripts({"0001": SOURCE}), tmp_path / "state"
    kept.keep(scripts, state)
    (state / "scripts" / "index.json").write_text("{", encoding="utf-8")
    shutil.rmtree(scripts)

    with pytest.raises(ScriptsError):
        kept.usable(scripts, state)


def test_the_first_look_at_a_database_counts(write_scripts: WriteScripts, tmp_path: Path) -> None:
    scripts = write_scripts({"0001": SOURCE})
    url = f"sqlite:///{tmp_path / 'shop.db'}"

    first = origin.remember(url, scripts, tmp_path / "state")
    assert (first.revision, first.created) == ("base", True)
    (tmp_path / "shop.db").touch()
    assert origin.remember(url, scripts, tmp_path / "state") == first
    origin.forget(tmp_path / "state")
    assert origin.remember(url, scripts, tmp_path / "state").created is False


def test_another_database_has_another_origin(write_scripts: WriteScripts, tmp_path: Path) -> None:
    scripts = write_scripts({"0001": SOURCE})
    origin.remember(f"sqlite:///{tmp_path / 'shop.db'}", scripts, tmp_path / "state")

    assert origin.recall(f"sqlite:///{tmp_path / 'other.db'}", tmp_path / "state") is None


def test_a_database_is_known_again_by_another_password() -> None:
    one = origin.identity("postgresql://a:first@db:5432/shop?sslmode=require")

    assert one == origin.identity("postgresql+asyncpg://b:second@db/shop")
    assert one != origin.identity("postgresql://a:first@db/other")
    assert one != origin.identity("postgresql://a:first@elsewhere/shop")
    assert "first" not in one
