"""Secrets are taken out of everything that is shown or recorded."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, overload
from urllib.parse import quote, quote_plus

from phases.verdict import GateResult

MARK = "[secret]"
"""What stands where a secret was: the word Pulumi itself uses."""


def forms(secrets: Iterable[str]) -> tuple[str, ...]:
    """Return every spelling of the secrets that turns up in output, longest first.

    Besides the value itself: percent-encoded as in a URL, and escaped as inside a JSON string. Longest first, so that
    a secret that contains another one leaves nothing of itself behind.
    """
    spellings = {
        form
        for secret in secrets
        for form in (
            secret,
            quote(secret, safe=""),
            quote(secret),
            quote_plus(secret),
            json.dumps(secret)[1:-1],
            json.dumps(secret, ensure_ascii=False)[1:-1],
        )
        if form
    }
    return tuple(sorted(spellings, key=lambda form: (-len(form), form)))


@overload
def redact(value: str, secrets: Iterable[str]) -> str: ...
@overload
def redact(value: Any, secrets: Iterable[str]) -> Any: ...  # noqa: ANN401
def redact(value: Any, secrets: Iterable[str]) -> Any:
    """Return `value` with every secret in its strings replaced by `MARK`, in keys of mappings too.

    Mappings become dicts, and lists and tuples keep their kind; anything else that is no string is returned as it is.
    """
    found = _pattern(secrets)
    return _clean(value, found) if found else value


def redact_result(result: GateResult, secrets: Iterable[str]) -> GateResult:
    """Return the result of a gate without any secret in its reason, evidence and warnings."""
    found = _pattern(secrets)
    if found is None:
        return result
    return replace(
        result,
        reason=_clean(result.reason, found),
        evidence=_clean(result.evidence, found),
        warnings=_clean(result.warnings, found),
    )


def _pattern(secrets: Iterable[str]) -> re.Pattern[str] | None:
    """Return what finds any secret, in one pass: a short one must not be found in the mark left by another."""
    found = forms(secrets)
    return re.compile("|".join(map(re.escape, found))) if found else None


def _clean(value: Any, found: re.Pattern[str]) -> Any:  # noqa: ANN401
    if isinstance(value, str):
        return found.sub(MARK, value)
    if isinstance(value, Mapping):
        return {_clean(key, found): _clean(item, found) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)([_clean(item, found) for item in value])
    return value
