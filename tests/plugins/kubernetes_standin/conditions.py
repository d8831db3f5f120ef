"""The annotation `pulumi.com/waitFor`: conditions of the user's own.

`condition=Ready`, `condition=Ready=False`, `jsonpath={.status.phase}`, `jsonpath={.status.phase}=Running`, or a JSON
list of them. Of JSONPath only keys and positions are known: `.a.b`, `["a.b"]`, `[0]`.
"""

from __future__ import annotations

import json
import re
from typing import Any

from . import difference, objects
from .values import Object


def expressions(annotation: str) -> list[str]:
    """Return the expressions of the annotation.

    Raises:
        ValueError: one of them is none.
    """
    try:
        parsed = json.loads(annotation)
    except ValueError:
        parsed = annotation
    found = parsed if isinstance(parsed, list) and all(isinstance(one, str) for one in parsed) else [annotation]
    if not found:
        raise ValueError("at least one condition must be specified")
    for one in found:
        if not one.startswith(("jsonpath=", "condition=")):
            raise ValueError(f'expected a "jsonpath=" or "condition=" prefix, got "{one}"')
    return found


def holds(expression: str, live: Object) -> bool:
    """Whether an object meets an expression.

    A status that says which generation it is of, and says an older one, meets nothing; one that does not say is
    believed, even where it is old.
    """
    kind, _, rest = expression.partition("=")
    return _path_holds(rest, live) if kind == "jsonpath" else _condition_holds(rest, live)


def _condition_holds(text: str, live: Object) -> bool:
    name, _, wanted = text.partition("=")
    state = next(
        (one for one in objects.at(live, "status", "conditions") or [] if str(one.get("type")).lower() == name.lower()),
        None,
    )
    if state is None:
        return False
    observed = state.get("observedGeneration", objects.at(live, "status", "observedGeneration"))
    if observed is not None and observed < (objects.at(live, "metadata", "generation") or 0):
        return False
    return str(state.get("status")).lower() == (wanted or "True").lower()


def _path_holds(text: str, live: Object) -> bool:
    match = re.fullmatch(r"\{\s*\$?(.*?)\s*\}(?:=(.+))?", text)
    if match is None:
        raise ValueError(f"format should be {{.path}}=value or {{.path}}, got {text!r}")
    observed = objects.at(live, "status", "observedGeneration")
    if observed is not None and observed < (objects.at(live, "metadata", "generation") or 0):
        return False
    value: Any = live
    for step in difference.parsed(match[1].replace("'", '"')):
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            return False
    if match[2] is None:
        return True
    if isinstance(value, dict | list):
        raise ValueError(  # noqa: TRY004 - the expression is at fault
            f"{match[1]!r} has a non-primitive value ({value})"
        )
    shown = str(value).lower() if isinstance(value, bool) else str(value)
    return shown == match[2]


class ConditionReadiness:
    """Knows when an object meets all of a user's expressions.

    Args:
        wanted: the expressions.
    """

    tick = 10.0
    timed_out = "timed out waiting for the condition"

    def __init__(self, wanted: list[str]) -> None:
        self._wanted = wanted

    def ready(self, live: Object) -> bool:
        """Whether it does."""
        return all(holds(one, live) for one in self._wanted)

    def progress(self, live: Object) -> list[tuple[str, str]]:
        """Return what is waited for."""
        return [("info", f"Waiting for {one}") for one in self._wanted if not holds(one, live)]

    def explain(self, live: Object) -> list[str]:
        """Say which expressions it does not meet, and what its conditions say."""
        missing = [f"Waiting for {one}" for one in self._wanted if not holds(one, live)]
        told = (objects.at(live, "status", "conditions") or [])[:3]
        return missing + [str(one["message"]) for one in told if one.get("status") != "True" and one.get("message")]

    def good_enough(self, live: Object) -> bool:
        """Whether it counts as ready when the time is up."""
        del live
        return False
