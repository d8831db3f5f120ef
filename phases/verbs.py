"""The verbs of `execute` and `rollback`, from text to frozen actions.

`run_migration --direction up`, `deploy --image REF`, `run_synthetic_tests`, `disable_traffic`,
`shift_traffic --percent N`; anything else is a program: `run: [program, args]`.
"""

from __future__ import annotations

import difflib
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Migrate:
    """Move the schema to the release's revision (`up`) or back to the one before (`down`)."""

    direction: Literal["up", "down"]


@dataclass(frozen=True, slots=True)
class Deploy:
    """Start `image` in the new slot, beside the old one. An empty image stands for "nothing ran before"."""

    image: str


@dataclass(frozen=True, slots=True)
class SyntheticTests:
    """Run the synthetic transactions against the new slot."""


@dataclass(frozen=True, slots=True)
class DisableTraffic:
    """Take every user off the new slot."""


@dataclass(frozen=True, slots=True)
class ShiftTraffic:
    """Give the new slot `percent` of the users."""

    percent: int


@dataclass(frozen=True, slots=True)
class RunProgram:
    """Run a program of the team's own; its exit code decides."""

    argv: tuple[str, ...]


Action = Migrate | Deploy | SyntheticTests | DisableTraffic | ShiftTraffic | RunProgram

VERBS: Mapping[str, type[Action]] = {
    "run_migration": Migrate,
    "deploy": Deploy,
    "run_synthetic_tests": SyntheticTests,
    "disable_traffic": DisableTraffic,
    "shift_traffic": ShiftTraffic,
}
"""Every verb and the action that it becomes."""


def parse(text: str) -> Action:
    """Return the action that `text` names.

    Raises:
        ValueError: an unknown verb, a missing or unknown option, or a value out of range; the message says what
            would be right.
    """
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise ValueError(f"its quotes do not match ({error})") from error
    if not words:
        raise ValueError(f"it must be one of the verbs {', '.join(VERBS)}, or run: [program, argument, ...]")
    verb = words[0]
    match verb:
        case "run_migration":
            direction = _take(words, "direction", "up or down")
            if direction not in ("up", "down"):
                raise ValueError(f"--direction is {direction!r}; it must be up or down")
            return Migrate("up" if direction == "up" else "down")
        case "deploy":
            return Deploy(_take(words, "image", "name:tag or name@sha256:..."))
        case "run_synthetic_tests":
            _none(words)
            return SyntheticTests()
        case "disable_traffic":
            _none(words)
            return DisableTraffic()
        case "shift_traffic":
            return ShiftTraffic(_percent(_take(words, "percent", "a whole number from 0 to 100")))
        case _:
            near = difflib.get_close_matches(verb, VERBS, n=1)
            hint = f" (did you mean {near[0]}?)" if near else ""
            raise ValueError(
                f"{verb!r} is not a verb{hint}; the verbs are {', '.join(VERBS)}; anything else is "
                "run: [program, argument, ...]"
            )


def written(action: Action) -> str | dict[str, list[str]]:
    """Return the action as a configuration writes it, so that `parse` and the models read the same action again."""
    match action:
        case Migrate(direction):
            return f"run_migration --direction {direction}"
        case Deploy(image):
            return shlex.join(["deploy", "--image", image])
        case SyntheticTests():
            return "run_synthetic_tests"
        case DisableTraffic():
            return "disable_traffic"
        case ShiftTraffic(percent):
            return f"shift_traffic --percent {percent}"
        case RunProgram(argv):
            return {"run": list(argv)}


def _options(words: list[str]) -> dict[str, str | None]:
    options: dict[str, str | None] = {}
    rest = iter(words[1:])
    for word in rest:
        if not word.startswith("--"):
            raise ValueError(f"{word!r} is not an option of {words[0]}; options are written --name value")
        name, equals, value = word[2:].partition("=")
        if name in options:
            raise ValueError(f"--{name} is given twice")
        options[name] = value if equals else next(rest, None)
    return options


def _take(words: list[str], name: str, form: str) -> str:
    options = _options(words)
    unknown = [option for option in options if option != name]
    if unknown:
        raise ValueError(f"{words[0]} has no option --{unknown[0]}; it takes --{name} ({form})")
    value = options.get(name)
    # The image before the first launch is the empty string, and quotes are easily left away around it.
    if value is None and not (name in options and name == "image"):
        raise ValueError(f"{words[0]} needs --{name} ({form})")
    return value or ""


def _none(words: list[str]) -> None:
    for option in _options(words):
        raise ValueError(f"{words[0]} has no option --{option}; it takes none")


def _percent(text: str) -> int:
    if not (text.isascii() and text.isdecimal()) or not 0 <= int(text) <= 100:
        raise ValueError(f"--percent is {text!r}; it must be a whole number from 0 to 100")
    return int(text)
