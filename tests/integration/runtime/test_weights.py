"""Weights move; users do not notice."""

from __future__ import annotations

import os
import signal
import threading
import urllib.request
from collections import Counter

import pytest

from components.local.runtime.errors import RuntimeFailure
from components.local.runtime.files import Layout
from components.local.runtime.router import Backend, Sticky, configure, router_status, stop_router
from components.local.runtime.state import Record
from tests.integration.runtime.stage import Origin, Peer, Routed, eventually

pytestmark = pytest.mark.integration


@pytest.fixture
def slots(routed: Routed) -> tuple[Origin, Origin]:
    return routed.slot("blue"), routed.slot("green")


class Users:
    """Users who ask all the time, each on a connection of their own, and note whatever goes wrong."""

    def __init__(self, routed: Routed, count: int) -> None:
        self.answers = Counter[bytes]()
        self.failures: list[str] = []
        self.ended = threading.Event()
        self._peers = [routed.peer() for _ in range(count)]
        self._threads = [threading.Thread(target=self._ask, args=(peer,)) for peer in self._peers]
        for thread in self._threads:
            thread.start()

    def _ask(self, peer: Peer) -> None:
        while not self.ended.is_set():
            try:
                status, _, body = peer.ask("/echo", method="POST", body=b"order")
            except (OSError, AssertionError) as error:
                self.failures.append(repr(error))
                return
            self.answers[body] += 1
            if status != 200:
                self.failures.append(f"{status} {body!r}")

    def end(self) -> None:
        self.ended.set()
        for thread in self._threads:
            thread.join()


def test_weights_change_under_load_without_one_failed_request(routed: Routed, slots: tuple[Origin, Origin]) -> None:
    """POST requests, which the router may not repeat, on connections that stay open throughout."""
    blue, green = slots
    routed.weigh(blue=100, green=0)
    users = Users(routed, 8)
    try:
        for weight in [0, 1, 10, 50, 100, 0, 50, 100] * 5:
            before = sum(users.answers.values())
            routed.weigh(blue=100 - weight, green=weight)
            eventually(lambda: users.failures or sum(users.answers.values()) > before + 20)  # noqa: B023 - at once
    finally:
        users.end()
    assert users.failures == []
    assert set(users.answers) == {b"order"}
    assert len(blue.requests) > 100
    assert len(green.requests) > 100
    assert routed.count("2xx") + routed.count("2xx", "green") == sum(users.answers.values())


def test_new_weights_hold_from_the_very_next_request(routed: Routed, slots: tuple[Origin, Origin]) -> None:
    routed.weigh(blue=100, green=0)
    peer = routed.peer()
    for _ in range(20):
        routed.weigh(blue=100, green=0)
        assert peer.ask()[2] == b"blue"
        routed.weigh(blue=0, green=100)
        assert peer.ask()[2] == b"green"
    assert slots[0].connections == 1


@pytest.mark.parametrize("weight", [1, 10, 50])
def test_a_hundred_requests_are_split_as_the_weights_say(
    routed: Routed, slots: tuple[Origin, Origin], weight: int
) -> None:
    routed.weigh(blue=100 - weight, green=weight)
    peer = routed.peer()
    for _ in range(100):
        peer.ask()
    assert abs(len(slots[1].requests) - weight) <= 2


def test_a_request_under_way_stays_on_its_slot(routed: Routed, slots: tuple[Origin, Origin]) -> None:
    routed.weigh(blue=100, green=0)
    peer = routed.peer()
    peer.send_request("/wait")
    assert slots[0].seen.wait(20)
    routed.weigh(green=100)  # the slot is not even named any more
    slots[0].go.set()
    assert peer.response()[2] == b"waited"
    assert peer.ask()[2] == b"green"
    assert routed.count("2xx") == 1


@pytest.mark.parametrize("weights", [{}, {"blue": 0, "green": 0}])
def test_without_traffic_for_any_slot_users_are_told_so(
    routed: Routed, slots: tuple[Origin, Origin], weights: dict[str, int]
) -> None:
    routed.weigh(**weights)
    peer = routed.peer()
    status, _, body = peer.ask()
    assert (status, body) == (503, b"503 Service Unavailable: no slot takes traffic at present\n")
    routed.weigh(blue=100)
    assert peer.ask()[2] == b"blue"
    assert routed.metric("launch_router_unrouted_total") == 1
    assert slots[1].requests == []


def test_a_slot_that_comes_back_at_another_address(routed: Routed, slots: tuple[Origin, Origin]) -> None:
    routed.weigh(blue=100)
    peer = routed.peer()
    peer.ask()
    routed.origins["blue"] = slots[1]
    routed.weigh(blue=100)
    assert peer.ask()[2] == b"green"
    assert routed.count("2xx") == 2
    routed.origins["blue"] = slots[0]


def test_a_user_keeps_a_slot_by_cookie(routed: Routed, slots: tuple[Origin, Origin]) -> None:
    routed.weigh(Sticky(cookie="slot"), blue=50, green=50)
    peer = routed.peer()
    _, head, slot = peer.ask()
    assert f"Set-Cookie: slot={slot.decode()};" in head
    for _ in range(20):
        _, head, again = peer.ask("/", f"Cookie: slot={slot.decode()}")
        assert (again, "Set-Cookie" in head) == (slot, False)
    assert len(slots[0].requests) + len(slots[1].requests) == 21


def test_a_user_keeps_a_slot_by_header(routed: Routed, slots: tuple[Origin, Origin]) -> None:
    routed.weigh(Sticky(header="X-User"), blue=50, green=50)
    peer = routed.peer()
    was = {user: peer.ask("/", f"X-User: {user}")[2] for user in range(50)}
    assert {user: peer.ask("/", f"X-User: {user}")[2] for user in range(50)} == was
    routed.weigh(Sticky(header="X-User"), blue=40, green=60)
    now = {user: peer.ask("/", f"X-User: {user}")[2] for user in range(50)}
    assert {(was[user], now[user]) for user in was if was[user] != now[user]} <= {(b"blue", b"green")}
    assert slots[0].requests


def test_a_killed_router_comes_back_with_its_weights_and_refuses_nobody(
    routed: Routed, slots: tuple[Origin, Origin]
) -> None:
    before = routed.weigh(Sticky(cookie="slot"), blue=0, green=100)
    os.kill(before.pid, signal.SIGKILL)
    # Its listening socket belongs to the supervisor: the connection waits for the next router.
    assert routed.peer().ask()[2] == b"green"
    after = router_status(routed.directory)
    assert after is not None
    assert (after.port, after.admin, after.backends) == (before.port, before.admin, before.backends)
    assert after.pid != before.pid
    assert slots[0].requests == []


def test_a_router_whose_supervisor_was_killed_serves_on_and_is_adopted(
    routed: Routed, slots: tuple[Origin, Origin]
) -> None:
    before = routed.weigh(blue=100, green=0)
    record = Record.read(Layout(routed.directory))
    assert record is not None
    os.kill(record.supervisor.pid, signal.SIGKILL)
    eventually(lambda: not record.supervised())
    peer = routed.peer()
    assert peer.ask()[2] == b"blue"
    assert router_status(routed.directory) == before
    after = routed.weigh(blue=0, green=100)
    assert (after.pid, after.url) == (before.pid, before.url)
    assert peer.ask()[2] == b"green"  # on the same connection
    os.kill(after.pid, signal.SIGKILL)
    eventually(lambda: (found := router_status(routed.directory)) and found.pid != after.pid)
    assert routed.peer().ask()[2] == b"green"
    assert slots[0].requests


def test_a_router_that_is_stopped_lets_requests_under_way_end(routed: Routed, slots: tuple[Origin, Origin]) -> None:
    routed.weigh(blue=100)
    busy, idle = routed.peer(), routed.peer()
    idle.ask()
    busy.send_request("/wait")
    assert slots[0].seen.wait(20)
    stopping = threading.Thread(target=stop_router, args=(routed.directory,))
    stopping.start()
    assert idle.rest() == b""
    slots[0].go.set()
    status, head, body = busy.response()
    assert (status, body) == (200, b"waited")
    assert "Connection: close" in head
    stopping.join()
    assert router_status(routed.directory) is None
    with pytest.raises(ConnectionRefusedError):
        routed.peer()


def test_a_stopped_router_comes_back_on_its_port(routed: Routed, slots: tuple[Origin, Origin]) -> None:
    before = routed.weigh(blue=100)
    stop_router(routed.directory)
    stop_router(routed.directory)  # nothing to stop is no error
    assert routed.weigh(green=100).port == before.port
    assert routed.peer().ask()[2] == slots[1].name.encode()


def test_a_port_that_was_asked_for_is_had_or_the_failure_says_why(routed: Routed, slots: tuple[Origin, Origin]) -> None:
    backends = [Backend("blue", slots[0].url, 100)]
    with pytest.raises(RuntimeFailure, match=rf"port {slots[1].server_port} on 127.0.0.1 .* another program has it"):
        configure(routed.directory, port=slots[1].server_port, backends=backends)
    assert router_status(routed.directory) is None
    first = configure(routed.directory, backends=backends)
    port = slots[1].server_port
    routed.origins.pop("green").end()
    moved = configure(routed.directory, port=port, backends=backends)
    assert (moved.port, first.port == port) == (port, False)


def test_a_mistake_changes_nothing(routed: Routed, slots: tuple[Origin, Origin]) -> None:
    routed.weigh(blue=100)
    with pytest.raises(RuntimeFailure, match="add up to 60"):
        routed.weigh(blue=50, green=10)
    request = urllib.request.Request(f"{routed.status.admin}/config", data=b"{}", method="PUT")  # noqa: S310
    with pytest.raises(urllib.error.HTTPError) as raised:
        urllib.request.urlopen(request)  # noqa: S310
    with raised.value as answer:
        assert answer.status == 400
    assert routed.peer().ask()[2] == slots[0].name.encode()


def test_no_router_has_no_status(routed: Routed) -> None:
    assert router_status(routed.directory) is None
    stop_router(routed.directory)
    assert not routed.directory.exists()
