"""A Job's log without what is secret."""

from __future__ import annotations

import json
from collections.abc import Sequence
from urllib.parse import quote, quote_plus, unquote, urlsplit

MARK = "[secret]"
_SHORTEST = 3
"""Shorter values are not looked for: replacing every `1` would hide everything but them."""


def masked(text: str, secrets: Sequence[str]) -> str:
    """Return `text` without the secrets, in any spelling that output has them in, and without passwords in URLs."""
    from components.schema.urls import mask

    for spelling in sorted(_spellings(secrets), key=len, reverse=True):
        text = text.replace(spelling, MARK)
    return mask(text)


def _spellings(secrets: Sequence[str]) -> set[str]:
    values = {part for secret in secrets for part in (secret, secret.strip(), *secret.splitlines(), *_password(secret))}
    return {
        spelling
        for value in values
        if len(value) >= _SHORTEST
        for spelling in (value, quote(value, safe=""), quote(value), quote_plus(value), json.dumps(value)[1:-1])
    }


def _password(text: str) -> list[str]:
    """Return the password in a URL: a driver's message may show it without the rest."""
    try:
        password = urlsplit(text).password
    except ValueError:
        return []
    return [] if password is None else [password, unquote(password)]
