"""What a router is told: its backends, their weights, and whether users stay where they are. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

_SLOT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_WHOLE = 100


@dataclass(frozen=True, slots=True)
class Backend:
    """A slot behind the router and its share of the traffic."""

    slot: str
    url: str
    """http://HOST:PORT of the slot."""
    weight: int
    """Percent of the requests, 0 to 100."""


@dataclass(frozen=True, slots=True)
class Sticky:
    """How a user is recognised, so as to stay on one slot: by a cookie or by a header, not both."""

    cookie: str | None = None
    """The router sets this cookie; its bearer stays on that slot while it has any weight."""
    header: str | None = None
    """Requests with the same value of this header go to the same slot; moving weights moves few of them."""


@dataclass(frozen=True, slots=True)
class RouterConfig:
    """A whole configuration, applied at once."""

    backends: tuple[Backend, ...]
    sticky: Sticky | None = None

    @classmethod
    def build(cls, backends: Sequence[Backend], sticky: Sticky | None) -> RouterConfig:
        """A checked configuration.

        Raises:
            ValueError: It is not one that a router can follow; the message says which value, and why.
        """
        for backend in backends:
            _check_backend(backend)
        slots = [backend.slot for backend in backends]
        if len(set(slots)) != len(slots):
            raise ValueError(f"a slot is named twice among {', '.join(slots)}; each slot is one backend")
        total = sum(backend.weight for backend in backends)
        if total not in {0, _WHOLE}:
            shown = ", ".join(f"{backend.slot} {backend.weight}" for backend in backends)
            raise ValueError(f"the weights add up to {total} ({shown}); they have to be 100 together, or all 0")
        if sticky is not None:
            _check_sticky(sticky)
        return cls(tuple(backends), sticky)

    @classmethod
    def from_json(cls, value: Any) -> RouterConfig:  # noqa: ANN401 - whatever the JSON holds
        """Read what `to_json` wrote, or somebody else in its form.

        Raises:
            ValueError: The value has another form, or is not a configuration.
        """
        try:
            sticky = value.get("sticky")
            return cls.build(
                [Backend(item["slot"], item["url"], item["weight"]) for item in value["backends"]],
                None if sticky is None else Sticky(sticky.get("cookie"), sticky.get("header")),
            )
        except (AttributeError, KeyError, TypeError) as error:
            raise ValueError(
                'a configuration is {"backends": [{"slot": "...", "url": "http://...", "weight": 100}], '
                f'"sticky": {{"cookie": "..."}} or null}}; this one fails with {error!r}'
            ) from error

    def to_json(self) -> dict[str, Any]:
        """A JSON object that `from_json` reads."""
        return {
            "backends": [{"slot": b.slot, "url": b.url, "weight": b.weight} for b in self.backends],
            "sticky": self.sticky and {"cookie": self.sticky.cookie, "header": self.sticky.header},
        }


def _check_backend(backend: Backend) -> None:
    if not _SLOT.fullmatch(backend.slot):
        raise ValueError(
            f"slot {backend.slot!r}: a slot's name is letters, digits, '.', '_' and '-', at most 100 of them"
        )
    if type(backend.weight) is not int or not 0 <= backend.weight <= _WHOLE:
        raise ValueError(f"slot {backend.slot}: weight {backend.weight!r} is not a whole number from 0 to 100")
    parts = urlsplit(backend.url)
    if parts.scheme != "http" or not parts.hostname or parts.path not in {"", "/"} or parts.query:
        raise ValueError(f"slot {backend.slot}: {backend.url!r} is not of the form http://HOST:PORT")
    _ = parts.port  # raises ValueError where it is not a port


def _check_sticky(sticky: Sticky) -> None:
    if (sticky.cookie is None) == (sticky.header is None):
        raise ValueError("stickiness is by a cookie or by a header: name exactly one of them")
    name = sticky.cookie if sticky.header is None else sticky.header
    if not isinstance(name, str) or not _TOKEN.fullmatch(name):
        raise ValueError(f"{name!r} is not a name that a cookie or header can have")
