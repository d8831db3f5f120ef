"""One end of a connection: what client and slot connections have in common."""

from __future__ import annotations

import asyncio


class Link(asyncio.Protocol):
    """A connection whose reading can be held back, so that memory stays bounded when the other end is slow."""

    __slots__ = ("ended", "reading", "transport", "write_paused")

    transport: asyncio.Transport

    def __init__(self) -> None:
        self.ended = False
        """The peer has said that it will send no more."""
        self.reading = True
        self.write_paused = False

    def read(self, wanted: bool) -> None:
        """Read from the peer, or leave what it sends in the kernel."""
        if wanted is self.reading or self.ended or self.transport.is_closing():
            return
        self.reading = wanted
        if wanted:
            self.transport.resume_reading()
        else:
            self.transport.pause_reading()
