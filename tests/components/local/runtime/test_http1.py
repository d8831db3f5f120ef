"""Heads and bodies of HTTP/1 messages: what is understood, and what is refused."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.local.runtime.http1 import (
    CHUNKED,
    UNTIL_CLOSE,
    BadMessage,
    Chunks,
    parse_request,
    parse_response,
)


def request(*lines: str, start: str = "GET /a?b=c HTTP/1.1") -> bytes:
    return "".join(f"{line}\r\n" for line in (start, *lines)).encode("latin-1")


def response(*lines: str, start: str = "HTTP/1.1 200 OK") -> bytes:
    return request(*lines, start=start)


class TestRequests:
    def test_a_plain_request(self) -> None:
        parsed = parse_request(request("Host: shop", "Accept: */*"))
        assert (parsed.method, parsed.target, parsed.host) == (b"GET", b"/a?b=c", b"shop")
        assert parsed.fields == [b"Host: shop", b"Accept: */*"]
        assert parsed.length == 0
        assert parsed.keep_alive
        assert parsed.idempotent
        assert not parsed.websocket

    def test_a_post_with_a_length(self) -> None:
        parsed = parse_request(request("Host: shop", "Content-Length: 12", start="POST / HTTP/1.1"))
        assert parsed.length == 12
        assert not parsed.idempotent

    def test_a_chunked_upload_stays_chunked(self) -> None:
        parsed = parse_request(request("Host: shop", "Transfer-Encoding: Chunked", start="PUT / HTTP/1.1"))
        assert parsed.length == CHUNKED
        assert b"Transfer-Encoding: Chunked" in parsed.fields

    def test_fields_of_this_hop_are_not_passed_on(self) -> None:
        """RFC 9110, 7.6.1: those named in Connection too."""
        parsed = parse_request(
            request(
                "Host: shop",
                "Connection: close, X-Debug",
                "Connection: X-More",
                "Keep-Alive: timeout=5",
                "Proxy-Connection: keep-alive",
                "Proxy-Authorization: Basic eA==",
                "TE: trailers",
                "Upgrade: h2c",
                "x-debug: 1",
                "X-MORE: 2",
                "X-Kept: 3",
            )
        )
        assert parsed.fields == [b"Host: shop", b"X-Kept: 3"]
        assert not parsed.keep_alive

    def test_connection_cannot_remove_what_frames_or_identifies_a_request(self) -> None:
        lines = ("Host: shop", "Content-Length: 3", "Cookie: a=b", "Authorization: x")
        parsed = parse_request(request(*lines, "Connection: host, content-length, cookie, authorization"))
        assert parsed.fields == [line.encode() for line in lines]
        parsed = parse_request(request("Host: shop", "Transfer-Encoding: chunked", "Connection: transfer-encoding"))
        assert parsed.fields == [b"Host: shop", b"Transfer-Encoding: chunked"]

    def test_an_old_client_has_to_ask_for_its_connection_to_be_kept(self) -> None:
        assert not parse_request(request(start="GET / HTTP/1.0")).keep_alive
        assert parse_request(request("Connection: keep-alive", start="GET / HTTP/1.0")).keep_alive

    def test_a_websocket_is_asked_for(self) -> None:
        lines = ("Host: shop", "Connection: keep-alive, Upgrade", "Upgrade: WebSocket", "Sec-WebSocket-Key: k")
        parsed = parse_request(request(*lines))
        assert parsed.websocket
        assert parsed.fields == [b"Host: shop", b"Sec-WebSocket-Key: k"]

    @pytest.mark.parametrize("line", ["Upgrade: h2c", "Upgrade: websocket, h2c", "X: y"])
    def test_no_other_protocol_can_be_switched_to(self, line: str) -> None:
        """A tunnel to a slot for h2c would hide further requests from the router."""
        assert not parse_request(request("Host: shop", "Connection: Upgrade", line)).websocket

    def test_an_absolute_target_outranks_the_host(self) -> None:
        parsed = parse_request(request("Host: other", start="GET http://shop:80?x=1 HTTP/1.1"))
        assert (parsed.host, parsed.target) == (b"shop:80", b"/?x=1")
        assert parsed.fields == [b"Host: shop:80"]

    def test_values_that_are_looked_at(self) -> None:
        lines = ("Host: shop", "Cookie: a=1", "cookie:b=2", "X-User:  jo ")
        parsed = parse_request(request(*lines), frozenset({b"cookie", b"x-user"}))
        assert parsed.named == {b"cookie": b"a=1; b=2", b"x-user": b"jo"}
        assert len(parsed.fields) == 4

    @pytest.mark.parametrize(
        ("head", "status"),
        [
            (request(), 400),
            (request("Host: a", "Host: b"), 400),
            (request("Host: a", "Content-Length: 1", "Content-Length: 1"), 400),
            (request("Host: a", "Content-Length: +1"), 400),
            (request("Host: a", "Content-Length: 1, 1"), 400),
            (request("Host: a", "Content-Length: 0x10"), 400),
            (request("Host: a", "Content-Length: "), 400),
            (request("Host: a", "Content-Length: \xb2"), 400),
            (request("Host: a", "Content-Length: 1", "Transfer-Encoding: chunked"), 400),
            (request("Host: a", "Transfer-Encoding: chunked", "Transfer-Encoding: chunked"), 501),
            (request("Host: a", "Transfer-Encoding: gzip, chunked"), 501),
            (request("Host: a", "Transfer-Encoding: xchunked"), 501),
            (request("Transfer-Encoding: chunked", start="POST / HTTP/1.0"), 400),
            (request("Host: a", " folded"), 400),
            (request("Host: a", "Name : x"), 400),
            (request("Host: a", "no colon"), 400),
            (request("Host: a", ": no name"), 400),
            (request("Host: a", "X: nul\x00"), 400),
            (request("Host: a", "X: bare\nInjected: y"), 400),
            (request("Host: a", "X: bare\rInjected: y"), 400),
            (request("Host: a", start="GET  / HTTP/1.1"), 400),
            (request("Host: a", start="GET / x HTTP/1.1"), 400),
            (request("Host: a", start="GET /\x7f HTTP/1.1"), 400),
            (request("Host: a", start="GET / HTTP/1.2"), 505),
            (request("Host: a", start="GET / HTTP/2.0"), 505),
            (request("Host: a", start="GET /"), 400),
            (request("Host: a", start="G(T / HTTP/1.1"), 400),
            (request("Host: a", start="CONNECT a:80 HTTP/1.1"), 501),
            (request("Host: a", start="GET ftp://a/ HTTP/1.1"), 400),
            (request("Host: a", start="GET http://u@a/ HTTP/1.1"), 400),
            (request("Host: a", start="GET * HTTP/1.1"), 400),
        ],
    )
    def test_what_could_be_read_in_two_ways_is_refused(self, head: bytes, status: int) -> None:
        with pytest.raises(BadMessage) as raised:
            parse_request(head)
        assert raised.value.status == status

    @given(st.binary(max_size=200))
    def test_no_bytes_do_more_than_be_refused(self, noise: bytes) -> None:
        for head in (noise, b"GET / HTTP/1.1\r\nHost: a\r\n" + noise + b"\r\n"):
            with suppress(BadMessage):
                parsed = parse_request(head)
                assert not any(b"\r" in line or b"\n" in line for line in parsed.fields)


class TestResponses:
    @pytest.mark.parametrize(
        ("lines", "start", "to_head", "length"),
        [
            (("Content-Length: 5",), "HTTP/1.1 200 OK", False, 5),
            (("Content-Length: 5",), "HTTP/1.1 200 OK", True, 0),
            (("Content-Length: 5",), "HTTP/1.1 304 Not Modified", False, 0),
            ((), "HTTP/1.1 204 No Content", False, 0),
            ((), "HTTP/1.1 100 Continue", False, 0),
            ((), "HTTP/1.1 200 OK", False, UNTIL_CLOSE),
            ((), "HTTP/1.1 200", False, UNTIL_CLOSE),
            (("Transfer-Encoding: chunked",), "HTTP/1.1 200 OK", False, CHUNKED),
            (("Transfer-Encoding: chunked",), "HTTP/1.1 200 OK", True, 0),
        ],
    )
    def test_where_a_body_ends(self, lines: tuple[str, ...], start: str, to_head: bool, length: int) -> None:
        assert parse_response(response(*lines, start=start), to_head=to_head).length == length

    def test_chunks_outrank_a_length_and_the_length_is_not_passed_on(self) -> None:
        parsed = parse_response(response("Content-Length: 5", "Transfer-Encoding: chunked"), to_head=False)
        assert parsed.length == CHUNKED
        assert parsed.fields == [b"Transfer-Encoding: chunked"]

    def test_the_slots_connection_is_its_own_business(self) -> None:
        parsed = parse_response(
            response("Connection: close", "Keep-Alive: timeout=7, max=3", "X: y", "Content-Length: 0"), to_head=False
        )
        assert parsed.fields == [b"X: y", b"Content-Length: 0"]
        assert not parsed.keep_alive
        assert parsed.idle_limit == 7

    def test_an_old_server_is_answered_for_in_http_1_1(self) -> None:
        parsed = parse_response(response("Content-Length: 0", start="HTTP/1.0 200 OK"), to_head=False)
        assert parsed.line == b"HTTP/1.1 200 OK\r\n"
        assert not parsed.keep_alive

    @pytest.mark.parametrize(
        "head",
        [
            response(start="HTTP/2 200 OK"),
            response(start="ICY 200 OK"),
            response(start="HTTP/1.1 600 Odd"),
            response("Content-Length: 1", "Content-Length: 2"),
            response("Transfer-Encoding: gzip"),
            response("no colon"),
            b"",
        ],
    )
    def test_what_cannot_be_framed_is_the_slots_error(self, head: bytes) -> None:
        with pytest.raises(BadMessage) as raised:
            parse_response(head, to_head=False)
        assert raised.value.status == 502


class TestChunks:
    WHOLE = b"5;ext=1\r\nhello\r\n1\r\n \r\n5\r\nworld\r\n0\r\nX-Trailer: 1\r\n\r\n"

    @given(cuts=st.lists(st.integers(0, 70), max_size=20), after=st.binary(max_size=9))
    def test_the_end_is_found_however_the_bytes_arrive(self, cuts: list[int], after: bytes) -> None:
        data = self.WHOLE + after
        pieces = [data[a:b] for a, b in zip([0, *sorted(cuts)], [*sorted(cuts), len(data)], strict=True)]
        chunks, payload, taken = Chunks(), list[bytes](), 0
        for piece in pieces:
            end = chunks.feed(piece, payload)
            if end >= 0:
                taken += end
                break
            taken += len(piece)
        assert taken == len(self.WHOLE)
        assert b"".join(payload) == b"hello world"

    @pytest.mark.parametrize(
        "data",
        [
            b"x\r\n",
            b"\r\n",
            b"-1\r\n",
            b"5\nhello\r\n",
            b"5\r\nhelloX\r\n",
            b"5\r\nhello\n",
            b"1" * 16 + b"\r\n",
            b"5;" + b"a" * 5000,
            b"0\r\nno colon\r\n",
            b"0\r\n" + b"X: y\r\n" * 4000,
        ],
    )
    def test_a_body_that_is_not_chunked_right_is_refused(self, data: bytes) -> None:
        with pytest.raises(BadMessage):
            Chunks().feed(data)
