"""A launch's plugins without a fork server: each is loaded anew, and nothing else is different."""

from __future__ import annotations

import os
import socket
from typing import NoReturn

import pytest

from components.provider.handover import VARIABLE
from stacks.forkserver import Forkserver


def refuse(*_: object) -> NoReturn:
    raise PermissionError("not here")


def test_where_nobody_may_listen_the_plugins_are_told_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket.socket, "bind", refuse)
    assert Forkserver().environ == {}


@pytest.mark.parametrize("system", ["darwin", "win32"])
def test_elsewhere_than_on_linux_too(monkeypatch: pytest.MonkeyPatch, system: str) -> None:
    monkeypatch.setattr("sys.platform", system)
    assert Forkserver().environ == {}


def test_a_system_without_pidfds_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "pidfd_open", raising=False)
    assert Forkserver().environ == {}


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="the system has no pidfds")
def test_all_stacks_of_a_process_share_one() -> None:
    forkserver = Forkserver()
    assert forkserver.environ.keys() == {VARIABLE}
    assert forkserver.environ == forkserver.environ
