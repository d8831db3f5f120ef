"""What can be seen of a stack in a directory: who has its lock, and the words of its history."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from stacks.directory_backend import DirectoryStack, mend, names
from stacks.state_file import NotReadable


def stack(directory: Path) -> DirectoryStack:
    return DirectoryStack(directory, "shop", "dev-traffic")


def lock(directory: Path, content: str) -> Path:
    path = directory / ".pulumi" / "locks" / "organization" / "shop" / "dev-traffic" / "one.json"
    path.parent.mkdir(parents=True)
    path.write_text(content, encoding="utf-8")
    return path


def entry(directory: Path, number: int, message: str) -> Path:
    path = directory / ".pulumi" / "history" / "shop" / "dev-traffic" / f"dev-traffic-{number}.history.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"kind": "update", "message": message, "version": number}), encoding="utf-8")
    return path


def test_a_lock_is_its_process(tmp_path: Path) -> None:
    assert stack(tmp_path).locks() == frozenset()
    found = lock(tmp_path, json.dumps({"pid": 4711, "username": "root"}))
    assert stack(tmp_path).locks() == {found}
    assert stack(tmp_path).locked_by(4711)
    assert not stack(tmp_path).locked_by(4712)


def test_a_lock_that_cannot_be_read_is_nobodys(tmp_path: Path) -> None:
    lock(tmp_path, "{")
    assert not stack(tmp_path).locked_by(4711)


@pytest.mark.parametrize(
    "file", ["shop/dev-traffic.json", "shop/dev-traffic.json.gz", "shop/dev-traffic.json.zst", "dev-traffic.json"]
)
def test_a_stack_is_there_wherever_pulumi_may_have_put_it(tmp_path: Path, file: str) -> None:
    assert stack(tmp_path).absent
    path = tmp_path / ".pulumi" / "stacks" / file
    path.parent.mkdir(parents=True)
    path.with_name("dev-traffic.json.bak").touch()
    path.with_name("dev-traffic-2.json").touch()
    assert stack(tmp_path).absent, "a copy of what was removed is no stack, nor is another's"
    path.touch()
    assert not stack(tmp_path).absent


def test_the_newest_update_with_that_message_gets_its_last_word(tmp_path: Path) -> None:
    older, newer = entry(tmp_path, 1, "01J a, or back"), entry(tmp_path, 2, "01J a, or back")
    assert stack(tmp_path).reword(old="01J a, or back", new="01J a")
    assert json.loads(newer.read_text(encoding="utf-8")) == {"kind": "update", "message": "01J a", "version": 2}
    assert json.loads(older.read_text(encoding="utf-8"))["message"] == "01J a, or back"
    assert sorted(path.name for path in newer.parent.iterdir()) == [older.name, newer.name], "no draft is left"


def test_where_there_is_no_such_update_nothing_is_written(tmp_path: Path) -> None:
    path = entry(tmp_path, 1, "by hand")
    before = path.read_bytes()
    assert not stack(tmp_path).reword(old="01J a, or back", new="01J a")
    assert not stack(tmp_path / "elsewhere").reword(old="by hand", new="x")
    assert path.read_bytes() == before


def test_the_history_is_told_from_its_newest_update_on(tmp_path: Path) -> None:
    for number in (1, 2):
        entry(tmp_path, number, f"update {number}")
    entry(tmp_path, 3, "cut off").write_text('{"kind": "upd', encoding="utf-8")
    with pytest.raises(NotReadable):
        stack(tmp_path).history()
    stack(tmp_path).state.parent.mkdir(parents=True)
    stack(tmp_path).state.touch()

    assert [found["message"] for found in stack(tmp_path).history()] == ["update 2", "update 1"]

    entry(tmp_path, 4, "x").with_name("dev-traffic-4.history.json.zst").touch()
    with pytest.raises(NotReadable):
        stack(tmp_path).history()


def test_the_projects_stacks_are_named(tmp_path: Path) -> None:
    assert names(tmp_path, "shop") == ()
    stacks = tmp_path / ".pulumi" / "stacks"
    for name in (
        "shop/dev.json",
        "shop/dev.json.bak",
        "shop/dev-deploy.json.gz",
        "shop/dev.json.attrs",
        "other/x.json",
    ):
        (stacks / name).parent.mkdir(parents=True, exist_ok=True)
        (stacks / name).touch()

    assert names(tmp_path, "shop") == ("dev", "dev-deploy")

    (stacks / "from-before-projects.json").touch()
    with pytest.raises(NotReadable):
        names(tmp_path, "shop")


def test_a_directory_that_cannot_be_listed_is_not_an_empty_one(tmp_path: Path) -> None:
    stacks = tmp_path / ".pulumi" / "stacks"
    stacks.parent.mkdir()
    stacks.touch()

    with pytest.raises(NotReadable):
        names(tmp_path, "shop")


def test_what_a_killed_engine_left_half_written_is_removed_and_nothing_else(tmp_path: Path) -> None:
    stacks = tmp_path / ".pulumi" / "stacks" / "shop"
    stacks.mkdir(parents=True)
    held = lock(tmp_path, "{}")
    files = {
        stacks / "dev-traffic.json": "{}",
        stacks / "dev-traffic.json.attrs": "",
        stacks / "dev-deploy.json.attrs": '{"md5": ""}',
        tmp_path / ".pulumi" / "meta.yaml.attrs": "",
        held.with_name("two.json.18f.tmp"): "",
        held.with_name("three.json.19f.tmp"): "",
    }
    for path, content in files.items():
        path.write_text(content, encoding="utf-8")
    os.utime(held.with_name("two.json.18f.tmp"), (0, 0))

    mend(tmp_path, "shop")

    assert {path.name for path in [*files, held] if path.exists()} == {
        "dev-traffic.json",
        "dev-deploy.json.attrs",
        "one.json",
        "three.json.19f.tmp",
    }


def test_there_is_nothing_to_mend_before_the_first_launch(tmp_path: Path) -> None:
    mend(tmp_path / "none", "shop")

    assert not list(tmp_path.iterdir())
