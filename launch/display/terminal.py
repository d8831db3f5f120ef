"""What a terminal can show, and the characters to show it with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TextIO


@dataclass(frozen=True, slots=True)
class Symbols:
    """The characters of a view."""

    done: str
    failed: str
    unsure: str
    active: str
    pending: str
    undone: str
    warning: str
    full: str
    empty: str
    arrow: str
    ellipsis: str
    dot: str


UNICODE: Final = Symbols("✓", "✗", "?", "●", "·", "↺", "!", "█", "░", "→", "…", "·")
ASCII: Final = Symbols("+", "x", "?", "*", ".", "<", "!", "#", ".", "->", "...", "-")


def symbols(encoding: str | None) -> Symbols:
    """Return what that encoding can write; ASCII where it cannot write all of the others."""
    try:
        "".join(getattr(UNICODE, name) for name in Symbols.__slots__).encode(encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return ASCII
    return UNICODE


def can_move_cursor(stream: TextIO, environ: Mapping[str, str]) -> bool:
    """Return whether a view that draws over itself makes sense there."""
    if environ.get("TERM", "").lower() in ("dumb", "unknown"):
        return False
    try:
        return stream.isatty()
    except ValueError:  # it is closed
        return False


def one_line(text: str) -> str:
    """Return the text on one line, without characters that a terminal would obey."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
