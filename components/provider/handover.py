"""What a plugin that was started and the fork server that serves in its place say to each other.

They meet at an abstract Unix socket (https://man7.org/linux/man-pages/man7/unix.7.html), which needs no file, so none
stays when somebody is killed. It has no permissions either, so each side looks whose process the other is.
"""

from __future__ import annotations

import json
import os
import socket
import struct
from dataclasses import asdict, dataclass

VARIABLE = "LAUNCH_PROVIDER_FORKSERVER"
"""Environment variable with the name of the socket."""

READY = b"r"
"""The server has forked a process that serves from now on."""

STOP = b"s"
"""The plugin was told to end, in order. The end of the connection without it is its death, and so is ours at once."""

DONE = b"d"
"""The forked process has ended in order. The end of the connection without it is a crash."""

_HEAD = struct.Struct("!Q")
_CREDENTIALS = struct.Struct("3i")


@dataclass(frozen=True, slots=True)
class Start:
    """How the engine started the plugin.

    Attributes:
        engine: the engine's address.
        directory: the working directory.
        environ: the environment.
    """

    engine: str
    directory: str
    environ: dict[str, str]


def address(name: str) -> bytes:
    """The socket's address in the abstract namespace."""
    return b"\0" + name.encode()


def is_ours(connection: socket.socket) -> bool:
    """Whether the other side belongs to the same user."""
    answer = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    return int(_CREDENTIALS.unpack(answer)[1]) == os.getuid()


def send(connection: socket.socket, start: Start, descriptors: tuple[int, int]) -> None:
    """Sends how the plugin was started, and its standard output and error."""
    body = json.dumps(asdict(start)).encode()
    socket.send_fds(connection, [_HEAD.pack(len(body))], descriptors)
    connection.sendall(body)


def receive(connection: socket.socket) -> tuple[Start, tuple[int, int]]:
    """Reads what `send` sent.

    Raises:
        EOFError: the plugin is gone.
    """
    head, (out, err), _, _ = socket.recv_fds(connection, _HEAD.size, 2)
    (left,) = _HEAD.unpack(head)
    body = b""
    while len(body) < left:
        part = connection.recv(left - len(body))
        if not part:
            raise EOFError
        body += part
    return Start(**json.loads(body)), (out, err)
