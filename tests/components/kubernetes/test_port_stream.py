"""The bytes of one forwarded connection: none is lost, whoever ends it."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from websocket import ABNF, WebSocket

from components.kubernetes.port_stream import pump

PORT = (8080).to_bytes(2, "little")
DATA, ERROR = b"\0", b"\1"


@dataclass
class Ends:
    """Both ends of a forward: the API server's, and that of whoever is here."""

    server: socket.socket
    here: socket.socket
    stream: WebSocket
    local: socket.socket

    def say(self, *frames: bytes, opcode: int = ABNF.OPCODE_BINARY) -> None:
        for frame in frames:
            self.server.sendall(ABNF.create_frame(frame, opcode).format())

    def heard(self) -> bytes:
        """All that came through, up to the end."""
        self.local.close()
        found = b""
        while part := self.here.recv(65536):
            found += part
        return found


@pytest.fixture
def ends() -> Iterator[Ends]:
    server, remote = socket.socketpair()
    here, local = socket.socketpair()
    stream = WebSocket()
    stream.sock, stream.connected = remote, True
    made = Ends(server, here, stream, local)
    made.say(DATA + PORT, ERROR + PORT)
    yield made
    for each in (server, remote, here, local):
        each.close()


def test_an_answer_is_whole_though_the_pod_ends_the_connection_at_once(ends: Ends) -> None:
    ends.say(DATA + b"HTTP/1.0 200 OK\r\n\r\n", DATA + b"x" * 50_000)
    ends.server.close()
    assert pump(ends.stream, ends.local) is None
    assert ends.heard() == b"HTTP/1.0 200 OK\r\n\r\n" + b"x" * 50_000


def test_a_close_ends_it_after_all_that_came_before(ends: Ends) -> None:
    ends.say(DATA + b"answer")
    ends.say(b"\x03\xe8", opcode=ABNF.OPCODE_CLOSE)
    assert pump(ends.stream, ends.local) is None
    assert ends.heard() == b"answer"


def test_what_went_wrong_at_the_pod_is_told(ends: Ends) -> None:
    ends.say(ERROR + b"failed to connect to localhost:8080 inside namespace: connection refused\n")
    error = pump(ends.stream, ends.local)
    assert error == "failed to connect to localhost:8080 inside namespace: connection refused"


def test_a_question_goes_the_other_way(ends: Ends) -> None:
    ends.here.sendall(b"GET / HTTP/1.1\r\n\r\n")
    ends.here.shutdown(socket.SHUT_WR)
    assert pump(ends.stream, ends.local) is None
    sent = WebSocket()
    sent.sock, sent.connected = ends.server, True
    opcode, frame = sent.recv_data_frame()
    assert (opcode, frame.data) == (ABNF.OPCODE_BINARY, DATA + b"GET / HTTP/1.1\r\n\r\n")


def test_pings_and_empty_frames_are_nothing(ends: Ends) -> None:
    ends.say(b"", opcode=ABNF.OPCODE_PING)
    ends.say(b"", DATA, DATA + b"answer")
    ends.server.shutdown(socket.SHUT_WR)
    assert pump(ends.stream, ends.local) is None
    assert ends.heard() == b"answer"
