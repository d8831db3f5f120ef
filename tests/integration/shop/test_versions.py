"""Each version of the demo behaves, or misbehaves, as the demo says."""

from __future__ import annotations

import http.client
import signal
import socket
import threading
import time
from collections import Counter
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.integration.shop.conftest import World

pytestmark = pytest.mark.integration

ORDER = {"product": "tea", "quantity": 2, "customer": "ann"}


def test_1_0_sells(world: World) -> None:
    world.migrate("1.0")
    shop = world.start("1.0")
    assert shop.ask("/") == (200, {"service": "shop", "version": "1.0", "checkout": "classic"})
    assert shop.ask("/health") == (200, {"healthy": True, "problem": None})
    assert shop.ask("/version") == (200, {"version": "1.0"})
    assert {"name": "tea", "price_cents": 640} in shop.ask("/products")[1]["products"]
    assert shop.ask("/checkout", ORDER) == (201, {"order": 1, "total_cents": 1280, "checkout": "classic"})


@pytest.mark.parametrize(
    ("path", "order", "status"),
    [
        ("/nothing", None, 404),
        ("/nothing", {}, 404),
        ("/checkout", {"product": "tea"}, 400),
        ("/checkout", ["tea"], 400),
        ("/checkout", {**ORDER, "product": "gold"}, 422),
    ],
)
def test_a_users_mistake_is_not_the_services(world: World, path: str, order: object, status: int) -> None:
    """A 5xx would trip the breaker for something that no rollback cures."""
    world.migrate("1.0")
    assert world.start("1.0").ask(path, order)[0] == status


def test_1_0_goes_on_beside_the_schema_of_2_0(world: World) -> None:
    world.migrate("1.0")
    shop = world.start("1.0")
    assert shop.ask("/checkout", ORDER)[0] == 201
    world.migrate("2.0")
    assert shop.ask("/checkout", ORDER)[0] == 201


def test_2_0_has_a_new_checkout_behind_its_flag(world: World) -> None:
    world.migrate("2.0")
    shop = world.start("2.0")
    assert shop.ask("/checkout", ORDER)[1]["checkout"] == "classic"
    shop.switch("on")
    assert shop.ask("/")[1]["checkout"] == "new"
    sold = shop.ask("/checkout", ORDER)
    assert sold[0] == 201
    assert sold[1]["delivery_day"]
    shop.switch("off")
    assert "delivery_day" not in shop.ask("/checkout", ORDER)[1]


def test_2_0_with_its_flag_off_survives_the_way_back_of_the_schema(world: World) -> None:
    """A rollback switches the flags off first and moves the schema last: between the two nobody meets an error."""
    world.migrate("2.0")
    shop = world.start("2.0")
    shop.switch("on")
    assert shop.ask("/checkout", ORDER)[0] == 201
    shop.switch("off")
    world.down("2.0", "0001")
    assert shop.ask("/checkout", ORDER)[0] == 201


def test_2_1_fails_every_twentieth_checkout_and_nothing_else(world: World) -> None:
    world.migrate("2.1")
    shop = world.start("2.1")
    statuses = [shop.ask("/checkout", ORDER)[0] for _ in range(60)]
    assert Counter(statuses) == {201: 57, 500: 3}
    assert [number for number, status in enumerate(statuses, 1) if status == 500] == [20, 40, 60]
    assert {shop.ask("/health")[0], shop.ask("/products")[0]} == {200}


def test_2_2_gets_slow_after_a_while_and_never_fails(world: World) -> None:
    world.migrate("2.2")
    shop = world.start("2.2")
    slow = 0
    for number in range(1, 20):
        started = time.monotonic()
        assert shop.ask("/checkout", ORDER)[0] == 201
        if time.monotonic() - started > 1.2:  # a sleep is never shorter than it says
            slow += 1
            assert number > 12
    assert slow == 1


def test_2_3_is_ready_but_not_healthy(world: World) -> None:
    world.migrate("2.3")
    shop = world.start("2.3")
    assert shop.ask("/ready")[0] == 200
    assert shop.ask("/health") == (
        503,
        {"healthy": False, "problem": "the recommendation service does not answer"},
    )


def test_2_4_works_but_breaks_the_version_beside_it(world: World) -> None:
    world.migrate("2.0")
    old = world.start("2.0")
    assert old.ask("/checkout", ORDER)[0] == 201
    world.migrate("2.4")
    assert world.start("2.4").ask("/checkout", ORDER)[0] == 201
    assert old.ask("/checkout", ORDER)[0] == 500
    world.down("2.4", "0002")
    assert old.ask("/checkout", ORDER)[0] == 201


def test_migrations_go_up_and_down_and_up_again(world: World) -> None:
    world.migrate("2.4")
    world.down("2.4", "base")
    world.migrate("2.4")
    assert world.start("2.4").ask("/checkout", ORDER)[0] == 201


def test_two_versions_share_one_database_under_way(world: World) -> None:
    """Both slots serve at once while traffic moves."""
    world.migrate("2.0")
    shops = [world.start("1.0"), world.start("2.0")]
    statuses: list[int] = []

    def buy(number: int) -> None:
        statuses.extend(shops[number % 2].ask("/checkout", ORDER)[0] for _ in range(25))

    threads = [threading.Thread(target=buy, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [201] * 200


def test_keeps_a_connection_for_many_requests(world: World) -> None:
    world.migrate("1.0")
    shop = world.start("1.0")
    connection = http.client.HTTPConnection(shop.url.removeprefix("http://"), timeout=10)
    connection.connect()
    own = connection.sock.getsockname()
    for _ in range(5):
        connection.request("GET", "/products")
        answer = connection.getresponse()
        assert (answer.status, answer.getheader("X-Shop-Version")) == (200, "1.0")
        answer.read()
        assert connection.sock.getsockname() == own
    connection.close()


def test_refuses_a_body_that_is_too_large_or_endless(world: World) -> None:
    world.migrate("1.0")
    shop = world.start("1.0")
    for header, status in (("Content-Length: 9999999", 413), ("Transfer-Encoding: chunked", 411)):
        with socket.create_connection(("127.0.0.1", int(shop.url.rsplit(":", 1)[1])), timeout=10) as raw:
            raw.sendall(f"POST /checkout HTTP/1.1\r\nHost: shop\r\n{header}\r\n\r\n".encode())
            assert raw.recv(1000).startswith(f"HTTP/1.1 {status} ".encode())


def test_ends_at_once_when_told_to_and_answers_what_it_has_begun(world: World) -> None:
    """The old slot is taken away while a last request is under way: its user must not notice."""
    world.migrate("2.2")
    shop = world.start("2.2")
    for _ in range(17):
        shop.ask("/checkout", ORDER)
    idle = http.client.HTTPConnection(shop.url.removeprefix("http://"), timeout=10)
    idle.request("GET", "/version")
    idle.getresponse().read()
    answers: list[int] = []
    slow = threading.Thread(target=lambda: answers.append(shop.ask("/checkout", ORDER)[0]))
    slow.start()
    time.sleep(0.3)  # let the eighteenth checkout, a slow one, begin
    shop.process.send_signal(signal.SIGTERM)
    assert shop.process.wait(timeout=20) == 0
    slow.join()
    assert answers == [201]
    assert idle.sock is not None
    assert idle.sock.recv(1) == b""
    idle.close()
