"""Ports on this machine: chosen by the system once, then kept.

A port that somebody asked for is a promise, so it being taken is a failure. A port that the system chose is
ours: if another program has it by now, the system chooses a new one, and the result says which.
"""

from __future__ import annotations

import errno
import socket

from components.local.runtime.errors import RuntimeFailure
from components.local.runtime.spec import Port

_BACKLOG = 1024


def bind(port: Port, kept: int | None) -> socket.socket:
    """A socket bound to `port.number`, else to the port kept from before, else to one the system chooses.

    A bound socket that does not listen refuses connections and keeps others off the port (also the system, for
    the outgoing ends of connections), so it serves to hold a port while no child has it.

    Raises:
        RuntimeFailure: The port that was asked for is taken, or the host is not this machine's.
    """
    for number in dict.fromkeys((port.number,) if port.number else (kept or 0, 0)):
        try:
            return _bind(port.host, number)
        except OSError as error:
            if error.errno == errno.EADDRINUSE and not port.number:
                continue
            reason = "another program has it" if error.errno == errno.EADDRINUSE else str(error)
            raise RuntimeFailure(
                f"port {number} on {port.host} cannot be had: {reason}; choose another port, or 0 for any free one"
            ) from error
    raise RuntimeFailure(f"no free port on {port.host}")


def listen(bound: socket.socket) -> socket.socket:
    """Accept connections on a bound socket; connections wait in its queue until somebody takes them."""
    bound.listen(_BACKLOG)
    return bound


def reachable(host: str) -> str:
    """The address at which a client on this machine reaches what listens on `host`, ready for a URL."""
    address = {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
    return f"[{address}]" if ":" in address else address


def _bind(host: str, number: int) -> socket.socket:
    family, kind, protocol, _, address = socket.getaddrinfo(
        host or None, number, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    result = socket.socket(family, kind, protocol)
    try:
        # Without it a restart would have to wait for connections of the last run that are in TIME_WAIT.
        result.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        result.bind(address)
    except BaseException:
        result.close()
        raise
    return result
