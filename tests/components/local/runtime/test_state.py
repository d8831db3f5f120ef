"""State files: written whole, and held against what really runs."""

from __future__ import annotations

import os
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from components.local.runtime.errors import RuntimeFailure
from components.local.runtime.files import Layout, read_json, write_json
from components.local.runtime.identity import Identity
from components.local.runtime.locks import exclusive, is_locked, try_lock
from components.local.runtime.state import Record

SELF = Identity.of(os.getpid())
GONE = Identity(os.getpid(), "another time")


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    result = Layout(tmp_path / "slot")
    result.create()
    return result


def record() -> Record:
    assert SELF is not None
    return Record(
        phase="running",
        supervisor=SELF,
        child=SELF,
        ports=(8001,),
        urls=("http://127.0.0.1:8001",),
        restarts=2,
        digest="salt:hash",
    )


def test_a_record_survives_its_file(layout: Layout) -> None:
    record().write(layout)
    assert Record.read(layout) == record()


def test_files_are_the_users_own(layout: Layout) -> None:
    record().write(layout)
    assert stat.S_IMODE(layout.directory.stat().st_mode) == 0o700
    assert stat.S_IMODE(layout.state.stat().st_mode) == 0o600
    assert [path.name for path in layout.directory.iterdir()] == ["state.json"]


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", "{}", '{"phase": "running"}', '{"phase": "odd", "supervisor": {"pid": 1, "started": "x"}}'],
)
def test_a_damaged_file_is_no_record(layout: Layout, content: str) -> None:
    layout.state.write_text(content)
    assert Record.read(layout) is None


def test_no_directory_is_no_record(tmp_path: Path) -> None:
    assert Record.read(Layout(tmp_path / "nowhere")) is None


def test_what_runs_is_running(layout: Layout) -> None:
    status = record().status(layout)
    assert (status.state, status.pid, status.supervisor_pid) == ("running", os.getpid(), os.getpid())
    assert (status.port, status.url, status.restarts) == (8001, "http://127.0.0.1:8001", 2)


def test_a_process_id_that_was_given_to_another_is_not_ours(layout: Layout) -> None:
    assert replace(record(), child=GONE).status(layout).state == "restarting"
    stopped = replace(record(), supervisor=GONE).status(layout)
    assert (stopped.state, stopped.pid) == ("stopped", os.getpid())
    assert replace(record(), supervisor=GONE, child=None).status(layout).pid is None


def test_an_identity_survives_its_file() -> None:
    assert SELF is not None
    assert SELF.alive()
    assert not GONE.alive()
    assert Identity.parse(SELF.as_json()) == SELF
    for value in (None, 3, {}, {"pid": "1"}):
        assert Identity.parse(value) is None
    assert Identity.of(2**31 - 1) is None


def test_a_file_is_replaced_or_left(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    write_json(path, {"a": 1})
    with pytest.raises(TypeError):
        write_json(path, {"a": object()})
    assert read_json(path) == {"a": 1}


def test_one_lock_has_one_holder(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    assert not is_locked(path)
    descriptor = try_lock(path)
    assert descriptor is not None
    assert is_locked(path)
    assert try_lock(path) is None
    with pytest.raises(RuntimeFailure, match="another command"), exclusive(path, timeout=0):
        pass
    os.close(descriptor)
    with exclusive(path, timeout=0):
        assert is_locked(path)
    assert not is_locked(path)
