"""What is wrong in the configuration: each mistake with its place, all of them in one error."""

from __future__ import annotations

import difflib
import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from phases.errors import ConfigurationError

_LONGEST = 60


@dataclass(frozen=True, slots=True, order=True)
class Mark:
    """A place in a file.

    Attributes:
        file: as the user knows it, for example `launch.yaml`.
        line: counted from 1.
        where: the key path there, for example `launch.phases[1].timeout_ms`; may be empty.
    """

    file: str
    line: int
    where: str = ""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.where}" if self.where else f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One mistake and its place."""

    mark: Mark
    text: str

    def __str__(self) -> str:
        return printable(f"{self.mark}: {self.text}")  # names in it are the user's own


def refuse(problems: Iterable[Problem]) -> None:
    """Do nothing where there are no problems.

    Raises:
        ConfigurationError: with all of them, by file and line.
    """
    found = sorted(set(problems))
    if found:
        raise ConfigurationError("\n".join(map(str, found)))


def at(mark: Mark, text: str) -> ConfigurationError:
    """Return the error for a single mistake that makes it pointless to look for others."""
    return ConfigurationError(str(Problem(mark, text)))


def shown(value: object) -> str:
    """Return a value as a message quotes it: on one line, and not all of something long."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."


def printable(text: str) -> str:
    """Return a text with everything escaped that would move the cursor or break the line."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode("ascii") for char in text)


def nearest(name: str, known: Collection[str]) -> str:
    """Return ` (did you mean X?)` where something known is spelled alike, else nothing."""
    near = difflib.get_close_matches(name, known, n=1)
    return f" (did you mean {near[0]}?)" if near else ""


def listed(names: Iterable[str], *, none: str = "there are none") -> str:
    """Return names as a sentence lists them."""
    return ", ".join(names) or none
