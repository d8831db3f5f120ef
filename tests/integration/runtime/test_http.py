"""The router speaks HTTP: what goes in at one side comes out at the other, whatever its shape."""

from __future__ import annotations

import socket
import struct

import pytest

from tests.integration.runtime.stage import Origin, Routed, eventually

pytestmark = pytest.mark.integration

MEGABYTE = 1024 * 1024


def test_a_connection_serves_many_requests_at_both_ends(routed: Routed, blue: Origin) -> None:
    peer = routed.peer()
    assert [peer.ask()[2] for _ in range(50)] == [b"blue"] * 50
    assert blue.connections == 1


def test_requests_sent_ahead_are_answered_in_order(routed: Routed, blue: Origin) -> None:
    peer = routed.peer()
    peer.send(b"".join(b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n%d" % n for n in range(9)))
    assert [peer.response()[2] for _ in range(9)] == [b"%d" % n for n in range(9)]
    assert blue.connections == 1


def test_a_request_that_comes_byte_by_byte(routed: Routed, blue: Origin) -> None:
    peer = routed.peer()
    for byte in b"\r\nPOST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc":
        peer.send(bytes([byte]))
    assert peer.response()[2] == b"abc"
    assert blue.requests[0][0] == "/echo"


def test_the_slot_learns_who_asked(routed: Routed, blue: Origin) -> None:
    routed.peer().ask("/", "X-Forwarded-For: 10.0.0.7", "X-Forwarded-Proto: https", "X-Forwarded-Host: shop.example")
    routed.peer().ask("/")
    (_, first), (_, second) = blue.requests
    assert first["x-forwarded-for"] == "10.0.0.7, 127.0.0.1"
    assert (first["x-forwarded-proto"], first["x-forwarded-host"]) == ("https", "shop.example")
    assert (second["x-forwarded-for"], second["x-forwarded-proto"]) == ("127.0.0.1", "http")
    assert second["x-forwarded-host"] == second["host"] == "shop"
    assert second["via"] == "1.1 launch"
    assert "connection" not in second


@pytest.mark.parametrize(("path", "status"), [("/empty", 204), ("/same", 304), ("/missing", 404), ("/fault", 500)])
def test_a_status_is_passed_on_and_the_connection_goes_on(routed: Routed, blue: Origin, path: str, status: int) -> None:
    peer = routed.peer()
    assert peer.ask(path)[0] == status
    assert peer.ask()[2] == b"blue"
    assert routed.count(f"{status // 100}xx") == 1 + (status == 204)
    assert blue.connections == 1


def test_head_has_no_body(routed: Routed, blue: Origin) -> None:
    peer = routed.peer()
    status, head, _ = peer.ask(method="HEAD")
    assert (status, "content-length: 4" in head.lower()) == (200, True)
    assert peer.ask()[2] == blue.name.encode()


def test_head_has_no_body_even_where_the_router_answers(routed: Routed, blue: Origin) -> None:
    peer = routed.peer()
    routed.weigh(blue=0)
    assert peer.ask(method="HEAD")[0] == 503
    routed.weigh(blue=100)
    assert peer.ask()[2] == blue.name.encode()


def test_a_response_streams_while_the_slot_still_makes_it(routed: Routed, blue: Origin) -> None:
    peer = routed.peer()
    peer.send_request("/chunks")
    assert peer.until(b"first\r\n").endswith(b"5\r\nfirst\r\n")
    assert routed.metric("launch_router_in_flight", slot="blue") == 1
    blue.go.set()
    assert peer.until(b"X-Sum: 1\r\n\r\n") == b"6\r\nsecond\r\n0\r\nX-Sum: 1\r\n\r\n"
    assert peer.ask()[2] == b"blue"
    assert routed.metric("launch_router_in_flight", slot="blue") == 0


def test_a_request_streams_while_the_client_still_sends_it(routed: Routed, blue: Origin) -> None:
    peer = routed.peer()
    peer.send(b"POST /slowly HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\nfirst")
    assert blue.seen.wait(20)
    peer.send(b"second")
    assert peer.response()[2] == b"second"


def test_a_chunked_upload(routed: Routed, blue: Origin) -> None:
    peer = routed.peer()
    peer.send(b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel")
    peer.send(b"lo\r\n6\r\n world\r\n0\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n")
    assert peer.response()[2] == b"hello world"
    assert peer.response()[2] == b"blue"
    assert blue.requests[0][1]["transfer-encoding"] == "chunked"


def test_large_bodies_both_ways(routed: Routed, blue: Origin) -> None:
    body = bytes(range(256)) * 4096 * 20
    peer = routed.peer()
    assert peer.ask("/echo", method="POST", body=body)[2] == body
    assert blue.connections == 1


def test_a_response_without_length_keeps_the_clients_connection(routed: Routed, blue: Origin) -> None:
    peer = routed.peer()
    status, head, body = peer.ask("/until_close")
    assert (status, "Transfer-Encoding: chunked" in head) == (200, True)
    assert body.replace(b"\r\n", b"").endswith(b"0")
    assert b"no length" in body
    assert b"at all" in body
    assert peer.ask()[2] == b"blue"
    assert routed.count("2xx") == blue.connections == 2


def test_an_old_client_gets_what_it_can_read(routed: Routed, blue: Origin) -> None:
    blue.go.set()
    peer = routed.peer()
    peer.send(b"GET /chunks HTTP/1.0\r\n\r\n")
    head, _, body = peer.rest().partition(b"\r\n\r\n")
    assert body == b"firstsecond"
    assert b"transfer-encoding" not in head.lower()
    peer = routed.peer()
    peer.send(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
    assert "Connection: keep-alive" in peer.response()[1]
    peer.send(b"GET /until_close HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
    assert peer.rest().endswith(b"\r\n\r\nno length at all")


def test_a_client_that_asks_first_whether_to_continue(routed: Routed, blue: Origin) -> None:
    peer = routed.peer()
    peer.send(b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n")
    assert peer.response()[0] == 100
    peer.send(b"body")
    assert peer.response()[2] == b"body"
    assert blue.requests[0][1]["expect"] == "100-continue"


def test_early_hints_come_early(routed: Routed, blue: Origin) -> None:
    peer = routed.peer()
    status, head, _ = peer.ask("/hints")
    assert (status, "Link: </x.css>" in head) == (103, True)
    assert peer.response()[2] == b"hinted"
    assert blue.connections == 1


def test_a_refusal_reaches_a_client_that_still_sends(routed: Routed, blue: Origin) -> None:
    peer = routed.peer()
    peer.send(b"POST /refuse HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % (50 * MEGABYTE))
    peer.send(b"x" * MEGABYTE)
    assert b" 413 " in peer.rest().partition(b"\r\n")[0]
    assert blue.connections == 1


def test_a_slow_reader_holds_the_slot_back_and_not_the_routers_memory(routed: Routed, blue: Origin) -> None:
    peer = routed.peer()
    peer.send_request("/endless")
    assert blue.seen.wait(30)  # its send has found no room for a second
    assert int(blue.requests[-1][1]["bytes"]) < 64 * MEGABYTE
    assert routed.peer().ask()[2] == b"blue"


def test_a_client_that_leaves_stops_its_slots_work(routed: Routed, blue: Origin) -> None:
    peer = routed.peer()
    peer.send_request("/hang")
    assert blue.seen.wait(20)
    peer.close()
    assert blue.go.wait(20)
    eventually(lambda: routed.count("client_closed") == 1)
    assert routed.metric("launch_router_in_flight", slot="blue") == 0
    assert routed.count("error") == 0


@pytest.mark.parametrize(
    ("path", "message"),
    [("/nonsense", b"not HTTP/1"), ("/silent", b"closed the connection")],
)
def test_a_slot_that_gives_no_answer_is_a_bad_gateway(routed: Routed, blue: Origin, path: str, message: bytes) -> None:
    peer = routed.peer()
    status, _, body = peer.ask(path)
    assert status == 502
    assert body.startswith(b"502 Bad Gateway: slot blue: ")
    assert message in body
    assert peer.ask()[2] == b"blue"
    assert (routed.count("error"), routed.count("5xx")) == (1, 0)
    assert blue.connections == 2


def test_a_response_that_breaks_off_is_seen_to_be_broken(routed: Routed, blue: Origin) -> None:
    peer = routed.peer()
    peer.send_request("/broken")
    with pytest.raises((AssertionError, ConnectionResetError)):
        peer.response()
    eventually(lambda: routed.count("error") == 1)
    assert routed.count("2xx") == 0
    assert blue.connections == 1


def test_a_slot_that_is_not_there_is_a_bad_gateway(routed: Routed, blue: Origin) -> None:
    routed.weigh(blue=100)
    blue.end()
    peer = routed.peer()
    status, _, body = peer.ask()
    assert status == 502
    assert b"cannot be connected to" in body
    assert routed.count("error") == 1
    assert peer.ask("/", "Content-Type: x", method="POST", body=b"x")[0] == 502
    del routed.origins["blue"]


def test_a_pooled_connection_that_was_closed_fails_no_request_that_can_be_repeated(
    routed: Routed, blue: Origin
) -> None:
    peer = routed.peer()
    for method, body in (("GET", b""), ("PUT", b"data")):
        assert peer.ask()[2] == b"blue"
        blue.drop_reused = True
        path = "/echo" if body else "/"
        assert peer.ask(path, method=method, body=body)[2] == body or b"blue"
        assert not blue.drop_reused
    assert routed.count("error") == 0


def test_a_request_that_must_not_be_repeated_is_not(routed: Routed, blue: Origin) -> None:
    """RFC 9110, 9.2.2: the slot may have acted on it before it closed."""
    peer = routed.peer()
    peer.ask()
    blue.drop_reused = True
    assert peer.ask("/echo", method="POST", body=b"order")[0] == 502
    assert routed.count("error") == 1


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 70000, 431),
        (b"CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", 501),
        (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nnope\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    ],
)
def test_a_bad_request_is_refused_and_reaches_no_slot(routed: Routed, blue: Origin, data: bytes, status: int) -> None:
    peer = routed.peer()
    peer.send(data)
    assert f" {status} ".encode() in peer.rest().partition(b"\r\n")[0]
    assert blue.requests == []
    assert routed.metric("launch_router_in_flight", slot="blue") == 0


def test_a_body_that_turns_bad_halfway_is_refused(routed: Routed, blue: Origin) -> None:
    peer = routed.peer()
    peer.send(b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
    eventually(lambda: blue.requests)
    peer.send(b"oops\r\n")
    assert b" 400 " in peer.rest().partition(b"\r\n")[0]
    assert routed.count("client_closed") == 1


class TestWebSocket:
    UPGRADE = ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Key: k", "Sec-WebSocket-Version: 13")

    def test_bytes_pass_both_ways_until_either_side_ends(self, routed: Routed, blue: Origin) -> None:
        peer = routed.peer()
        peer.send_request("/ws", *self.UPGRADE)
        head = peer.until(b"\r\n\r\n").lower()
        assert head.startswith(b"http/1.1 101 ")
        assert b"upgrade: websocket" in head
        assert b"sec-websocket-accept: x" in head
        assert blue.requests[0][1]["upgrade"] == "websocket"
        assert peer.exactly(7) == b"welcome"
        big = b"a" * MEGABYTE
        peer.send(big)
        assert peer.exactly(MEGABYTE) == big.upper()
        assert (routed.count("1xx"), routed.metric("launch_router_in_flight", slot="blue")) == (1, 1)
        peer.socket.shutdown(socket.SHUT_WR)
        assert peer.rest() == b"bye"
        eventually(lambda: routed.metric("launch_router_in_flight", slot="blue") == 0)
        assert routed.count("client_closed") == 0

    def test_a_client_that_resets_its_tunnel_frees_the_slot(self, routed: Routed, blue: Origin) -> None:
        peer = routed.peer()
        peer.send_request("/ws", *self.UPGRADE)
        peer.until(b"welcome")
        peer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        peer.close()
        eventually(lambda: routed.metric("launch_router_in_flight", slot="blue") == 0)
        assert routed.count("error") == 0
        assert blue.connections == 1

    def test_a_slot_may_decline(self, routed: Routed, blue: Origin) -> None:
        peer = routed.peer()
        assert peer.ask("/missing", *self.UPGRADE)[0] == 404
        assert peer.ask()[2] == blue.name.encode()

    def test_a_slot_that_switches_unasked_is_a_bad_gateway(self, routed: Routed, blue: Origin) -> None:
        peer = routed.peer()
        assert peer.ask("/ws")[0] == 502
        assert peer.ask()[2] == blue.name.encode()
        assert routed.count("error") == 1
