"""What a router is: something that turns a route's description into objects of the cluster, and nothing more.

Routers are pure: description in, objects out. So forward and back can be compared word for word, and what an update
changes between two weights is what the objects differ in - one field of one object (`tests/components/kubernetes`
holds every router to that).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Protocol

from components.kubernetes.settings import MatchSettings, RouterKind, RouterSettings

FULL = 100
"""The weight of all users."""


class UnsupportedRoute(ValueError):
    """The router cannot do what the settings ask for; `str()` says what, and which router can."""


@dataclass(frozen=True, slots=True)
class Backend:
    """A Service of a slot and its percent of the users."""

    service: str
    namespace: str
    port: int
    weight: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """An object as it is to be in the cluster."""

    api_version: str
    kind: str
    name: str
    spec: Mapping[str, Any]
    annotations: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Route:
    """Who gets how many users, for any router.

    Attributes:
        name: of the route, and where there are several objects, the beginning of their names.
        namespace: where the route's objects are.
        backends: the slots, always in the same order, so that two routes differ in their weights only.
        settings: where users come in.
        stable: Service of the slot that users were on before this launch; None on a first launch.
        cookie: name of a cookie that keeps a user on one slot; None: every request is on its own.
    """

    name: str
    namespace: str
    backends: tuple[Backend, ...]
    settings: RouterSettings
    stable: str | None = None
    cookie: str | None = None

    @property
    def total(self) -> int:
        """Return the sum of the weights; 0 means that nobody is let in."""
        return sum(backend.weight for backend in self.backends)

    @property
    def full(self) -> Backend | None:
        """Return the slot that all users get, if there is one."""
        served = [backend for backend in self.backends if backend.weight > 0]
        return served[0] if len(served) == 1 else None

    @property
    def primary(self) -> Backend | None:
        """Return the slot that users get by default: who has them all, else who had them before."""
        if (full := self.full) is not None:
            return full
        return next(
            (backend for backend in self.backends if backend.service == self.stable),
            max(self.backends, key=lambda backend: backend.weight, default=None),
        )

    @property
    def others(self) -> tuple[Backend, ...]:
        """Return the slots with the weights for users who take no part in an A/B test.

        They stay on the slot they were on until all users move; the order and the slots are those of `backends`.
        """
        primary = self.primary
        if self.total == 0 or primary is None:
            return self.backends
        return tuple(replace(backend, weight=FULL if backend == primary else 0) for backend in self.backends)


class Router(Protocol):
    """One kind of router.

    Attributes:
        kind: its name in the settings.
    """

    kind: ClassVar[RouterKind]

    def problems(self, settings: RouterSettings, *, cookie: str | None) -> Sequence[str]:
        """Return what this router cannot do of what is asked for, each as a sentence."""
        ...

    def manifests(self, route: Route) -> tuple[Manifest, ...]:
        """Return the objects; where there are several, in the order in which they may be changed."""
        ...


def cookie_pattern(match: MatchSettings) -> str:
    """Return a regular expression (RE2) for a whole `Cookie` header that holds the cookie of an A/B test."""
    value = match.value if match.regex else re.escape(match.value)
    return rf"^(?:.*;\s*)?{re.escape(match.cookie or '')}={value}(?:;.*)?$"


def match_problems(match: MatchSettings | None) -> list[str]:
    """Return what is wrong with the match for every router."""
    if match is None:
        return []
    found = []
    if bool(match.header) == bool(match.cookie):
        found.append("an A/B match names a header or a cookie, one of the two")
    if not match.value:
        found.append("an A/B match needs the value that the users of the test have")
    if match.regex:
        try:
            re.compile(match.value)
        except re.error as error:
            found.append(f"the A/B match {match.value!r} is no regular expression: {error}")
    return found


def unsticky(kind: str, cookie: str | None) -> list[str]:
    """Return that a router cannot keep users on a slot, where that is asked for."""
    if cookie is None:
        return []
    found = (
        f"the router {kind!r} cannot keep a user on one slot by the cookie {cookie!r} while weights are split; "
        "leave `sticky` out, split the users of an A/B test with `match`, or use nginx or traefik"
    )
    return [found]
