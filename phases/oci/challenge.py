"""What a registry asks for when it answers 401, and the token it then wants.

The protocol: https://distribution.github.io/distribution/spec/auth/token/ and .../auth/oauth/.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlencode

from phases.oci.credentials import Credentials

_PART = re.compile(r'(\w+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,]+))')
_CLIENT = "launch"


@dataclass(frozen=True, slots=True)
class Challenge:
    """The header `WWW-Authenticate`."""

    scheme: str
    """`basic` or `bearer`."""
    realm: str = ""
    """Where tokens are had."""
    service: str = ""
    scope: str = ""


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """How a token is asked for."""

    method: str
    url: str
    body: str | None = None
    headers: tuple[tuple[str, str], ...] = ()


def parse(header: str) -> Challenge | None:
    """Return the challenge in a header, None where we know no answer to it."""
    scheme, _, rest = header.strip().partition(" ")
    parts = {name.lower(): quoted or plain for name, quoted, plain in _PART.findall(rest)}
    if scheme.lower() == "basic":
        return Challenge("basic")
    if scheme.lower() == "bearer" and parts.get("realm"):
        return Challenge("bearer", parts["realm"], parts.get("service", ""), parts.get("scope", ""))
    return None


def token_request(challenge: Challenge, known: Credentials | None, *, scope: str) -> TokenRequest:
    """Return the request for a token.

    Args:
        challenge: of the registry.
        known: who asks; None: nobody in particular.
        scope: what is to be done, where the challenge does not say.
    """
    wanted = {"service": challenge.service, "scope": challenge.scope or scope}
    asked = {name: value for name, value in wanted.items() if value}
    if known is not None and known.identity:
        form = {"grant_type": "refresh_token", "refresh_token": known.identity, "client_id": _CLIENT, **asked}
        kind = (("Content-Type", "application/x-www-form-urlencoded"),)
        return TokenRequest("POST", challenge.realm, urlencode(form), kind)
    joined = "&" if "?" in challenge.realm else "?"
    headers = (("Authorization", known.basic),) if known is not None else ()
    return TokenRequest("GET", challenge.realm + joined + urlencode(asked), None, headers)
