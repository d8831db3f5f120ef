"""The log of a supervised process."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from components.local.runtime.logs import open_log, redact, rotate, size, tail


def test_a_log_is_private_and_appended_to(tmp_path: Path) -> None:
    path = tmp_path / "output.log"
    for line in (b"one\n", b"two\n"):
        descriptor = open_log(path)
        os.write(descriptor, line)
        os.close(descriptor)
    assert tail(path) == ["one", "two"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_log_that_has_grown_is_put_aside_while_its_writer_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "output.log"
    descriptor = open_log(path)
    os.write(descriptor, b"old\n" * 10)
    assert not rotate(path, max_bytes=40)
    os.write(descriptor, b"old\n")
    assert rotate(path, max_bytes=40)
    os.write(descriptor, b"new\n")
    os.close(descriptor)
    assert path.read_bytes() == b"new\n"
    assert (tmp_path / "output.log.1").read_bytes() == b"old\n" * 11
    assert stat.S_IMODE((tmp_path / "output.log.1").stat().st_mode) == 0o600


def test_no_log_is_an_empty_one(tmp_path: Path) -> None:
    path = tmp_path / "output.log"
    assert not rotate(path)
    assert tail(path) == []
    assert size(path) == 0


def test_the_tail_is_of_this_run_only(tmp_path: Path) -> None:
    path = tmp_path / "output.log"
    path.write_text("earlier\n")
    since = size(path)
    path.write_text("earlier\n" + "".join(f"{number}\n" for number in range(20)))
    assert tail(path, 30, since=since) == [str(number) for number in range(20)]
    assert tail(path, 2, since=since) == ["18", "19"]


def test_the_tail_of_a_log_that_was_put_aside_meanwhile(tmp_path: Path) -> None:
    path = tmp_path / "output.log"
    path.write_text("new\n")
    assert tail(path, since=1000) == ["new"]


def test_what_is_no_text_is_shown_as_well_as_can_be(tmp_path: Path) -> None:
    path = tmp_path / "output.log"
    path.write_bytes(b"caf\xe9\n")
    assert tail(path) == ["caf\N{REPLACEMENT CHARACTER}"]


def test_values_of_the_environment_are_not_repeated() -> None:
    environment = {"DATABASE_URL": "postgres://u:hunter2@db", "PASSWORD": "hunter2", "N": "1"}
    lines = ["cannot reach postgres://u:hunter2@db", "password hunter2 refused, 1 try"]
    assert redact(lines, environment) == ["cannot reach ${DATABASE_URL}", "password ${PASSWORD} refused, 1 try"]
