"""How patient the router is. Seconds unless said otherwise."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """The router's patience; checked once a second, so not exact to less."""

    connect: float = 5.0
    """For a slot to take a connection."""
    response: float = 60.0
    """For a slot to begin its response, once it has the whole request."""
    head: float = 30.0
    """For a client to send a request's head."""
    stall: float = 60.0
    """For a client to send the next piece of a request's body."""
    keep_alive: float = 75.0
    """For a client's idle connection."""
    linger: float = 2.0
    """For a client to notice an answer that came before the end of its request."""
    idle: float = 4.0
    """For a pooled connection to a slot: shorter than servers usually keep theirs (5 s and more)."""
    fresh: float = 1.0
    """For a pooled connection that may serve a request which must not be sent twice."""
    pool: int = 256
    """Idle connections kept a slot."""
    drain: float = 4.0
    """For requests under way when the router is stopped."""


LIMITS = Limits()
