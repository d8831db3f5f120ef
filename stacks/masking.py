"""Keeps secret values that were read from the configuration out of messages.

The engine masks what it knows to be secret, but a provider that repeats an input in its error message makes a plain
text of it: tried with a secret input, whose value arrived in the diagnostic as it was.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

_SHORTEST = 4
"""Shorter values would be found in ordinary words."""

MASK = "[secret]"


class Masker:
    """Replaces known secret values in texts."""

    def __init__(self) -> None:
        self._values: tuple[str, ...] = ()

    def learn(self, value: object) -> None:
        """Remembers every text within a secret value."""
        found = {text for text in _texts(value) if len(text) >= _SHORTEST}
        self._values = tuple(sorted({*self._values, *found}, key=len, reverse=True))

    def __call__(self, text: str) -> str:
        """The text without any known secret."""
        for value in self._values:
            text = text.replace(value, MASK)
        return text


def _texts(value: object) -> Iterable[str]:
    if isinstance(value, Mapping):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, str):
        yield value
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield str(value)
