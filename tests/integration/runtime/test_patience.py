"""The router gives up on whoever keeps it waiting: here in this very process, with less patience than it has."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from components.local.runtime.downstream import ClientConnection
from components.local.runtime.limits import Limits
from components.local.runtime.proxy import Router
from components.local.runtime.routing import Backend, RouterConfig
from tests.integration.runtime.stage import Origin, Peer, eventually

pytestmark = pytest.mark.integration


class Running:
    """A router on a thread of this process."""

    def __init__(self, origin: str, limits: Limits) -> None:
        self.router = Router(RouterConfig.build([Backend("blue", origin, 100)], None), limits=limits)
        self._loop = asyncio.new_event_loop()
        self._listening = threading.Event()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._serve(),))
        self._thread.start()
        assert self._listening.wait(20)
        self.peers: list[Peer] = []

    def peer(self) -> Peer:
        self.peers.append(Peer(self.url))
        return self.peers[-1]

    def code(self, code: str) -> int:
        return next(iter(self.router.metrics())).codes[code]

    def end(self) -> None:
        for peer in self.peers:
            peer.close()
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
        self._loop.close()

    async def _serve(self) -> None:
        self._stop = asyncio.Event()
        server = await self._loop.create_server(lambda: ClientConnection(self.router), "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        ticking = asyncio.create_task(self.router.tick())
        self._listening.set()
        await self._stop.wait()
        server.close()
        await self.router.drain()
        ticking.cancel()


@pytest.fixture
def blue() -> Iterator[Origin]:
    origin = Origin("blue")
    yield origin
    origin.end()


@pytest.fixture
def impatient(blue: Origin) -> Iterator[Callable[..., Running]]:
    """Makes a router of the given patience."""
    made: list[Running] = []

    def make(**limits: float) -> Running:
        made.append(Running(blue.url, Limits(**limits)))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for running in made:
        running.end()


def test_a_slot_that_does_not_answer_is_given_up(blue: Origin, impatient: Callable[..., Running]) -> None:
    running = impatient(response=0.1)
    peer = running.peer()
    status, _, body = peer.ask("/hang")
    assert status == 504
    assert b"no response within 0.1 s" in body
    assert running.code("error") == 1
    assert blue.go.wait(20)  # its connection was closed
    assert peer.ask()[2] == b"blue"


def test_a_response_that_has_begun_may_take_its_time(blue: Origin, impatient: Callable[..., Running]) -> None:
    peer = impatient(response=0.1).peer()
    peer.send_request("/chunks")
    peer.until(b"first\r\n")
    threading.Timer(2.5, blue.go.set).start()
    peer.until(b"X-Sum: 1\r\n\r\n")


@pytest.mark.parametrize("sent", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: a\r\n"])
def test_a_client_that_does_not_finish_its_head_is_given_up(
    blue: Origin, impatient: Callable[..., Running], sent: bytes
) -> None:
    running = impatient(head=0.1)
    peer = running.peer()
    peer.send(sent)
    assert peer.rest() == b""
    eventually(lambda: not running.router.clients)
    assert blue.requests == []


def test_a_client_that_does_not_finish_its_body_is_given_up(blue: Origin, impatient: Callable[..., Running]) -> None:
    running = impatient(stall=0.1)
    peer = running.peer()
    peer.send(b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhalf")
    assert peer.rest() == b""
    eventually(lambda: running.code("client_closed") == 1)
    assert [path for path, _ in blue.requests] == ["/echo"]


def test_an_idle_client_is_let_go(blue: Origin, impatient: Callable[..., Running]) -> None:
    peer = impatient(keep_alive=0.1).peer()
    assert peer.ask()[2] == blue.name.encode()
    assert peer.rest() == b""


def test_an_idle_slot_connection_is_let_go_and_a_new_one_made(blue: Origin, impatient: Callable[..., Running]) -> None:
    running = impatient(idle=0.1)
    peer = running.peer()
    peer.ask()
    (slot,) = running.router._slots.values()
    time.sleep(0.5)  # the connection is back in the pool by now, and its 0.1 s there are over
    eventually(lambda: not slot.idle)
    assert peer.ask()[2] == b"blue"
    assert blue.connections == 2


def test_an_order_is_not_sent_on_a_connection_that_may_be_closing(
    blue: Origin, impatient: Callable[..., Running]
) -> None:
    running = impatient(fresh=0.0, idle=60)
    peer = running.peer()
    assert peer.ask()[2] == b"blue"
    blue.drop_reused = True
    assert peer.ask("/echo", method="POST", body=b"order")[2] == b"order"
    assert blue.connections == 2
    assert running.code("error") == 0
