"""Recorded values with the live outputs put in place."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from stacks.replay_offers import MISSING, Source, dig
from stacks.replay_values import (
    UNKNOWN,
    Path,
    Signature,
    holds_secret,
    is_secret,
    is_unknown,
    plain,
    reveal,
    secret,
    signature,
)
from stacks.replay_wiring import Wire


@dataclass(frozen=True, slots=True)
class Registered:
    """What the engine answered to a registration; `id` is empty where a preview does not know it."""

    urn: str
    id: str = ""
    outputs: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(slots=True)
class Live:
    """The answers so far, by URN."""

    preview: bool = False
    answers: dict[str, Registered] = field(default_factory=dict)

    def put(self, value: Any, wires: Iterable[Wire]) -> Any:  # noqa: ANN401 - any property value
        """The value with every wired part taken from the answers; secrets stay secret."""
        by_path = {wire.path: wire for wire in wires}
        return self._put(value, (), by_path)

    def identify(self, urn: str, recorded: str) -> str:
        """The live id of a resource, or the unknown value in a preview; the recorded one if it is not ours."""
        answer = self.answers.get(urn)
        if answer is None:
            return recorded
        return answer.id or (UNKNOWN if self.preview else recorded)

    def _put(self, value: Any, path: Path, wires: Mapping[Path, Wire], *, hidden: bool = False) -> Any:  # noqa: ANN401
        if is_secret(value):
            # Within a secret nothing needs a cover of its own, and the program put none there.
            return secret(self._put(value["value"], path, wires, hidden=True))
        if path in wires:
            found = self._join(wires[path], value)
            return plain(found) if hidden else found
        if signature(value) == Signature.RESOURCE:
            return self._reference(value)
        if isinstance(value, Mapping) and signature(value) is None:
            return {key: self._put(item, (*path, key), wires, hidden=hidden) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self._put(item, (*path, index), wires, hidden=hidden) for index, item in enumerate(value)]
        return value

    def _reference(self, value: Mapping[str, Any]) -> dict[str, Any]:
        found = dict(value)
        if found.get("id"):
            found["id"] = self.identify(str(found["urn"]), found["id"])
        return found

    def _join(self, wire: Wire, recorded: Any) -> Any:  # noqa: ANN401
        if len(wire.pieces) == 1 and isinstance(wire.pieces[0], Source):
            found = self._find(wire.pieces[0])
            return recorded if found is MISSING else found
        hidden = False
        texts: list[str] = []
        for piece in wire.pieces:
            found = self._find(piece) if isinstance(piece, Source) else piece
            if found is MISSING:
                return recorded
            hidden = hidden or holds_secret(found)
            if is_unknown(reveal(found)):
                return secret(UNKNOWN) if hidden else UNKNOWN
            texts.append(as_text(plain(found)))
        text = "".join(texts)
        return secret(text) if hidden else text

    def _find(self, source: Source) -> Any:  # noqa: ANN401
        answer = self.answers.get(source.urn)
        if answer is None:
            return MISSING
        if source.path is None:
            found: Any = answer.id or MISSING
        else:
            found = self._dig(answer.outputs, source.path)
        # A preview leaves out what it does not know.
        return UNKNOWN if found is MISSING and self.preview else found

    @staticmethod
    def _dig(outputs: Mapping[str, Any], path: Path) -> Any:  # noqa: ANN401
        hidden = False
        value: Any = outputs
        for part in path:
            hidden = hidden or is_secret(value)
            value = dig(value, (part,))
            if value is MISSING or is_unknown(reveal(value)):
                break
        return secret(value) if hidden and value is not MISSING else value


def as_text(value: Any) -> str:  # noqa: ANN401
    """A value within a string: whole numbers without a fraction, as programs write them."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
