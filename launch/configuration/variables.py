"""Fills `${NAME}` in the strings of `launch.yaml`.

The file is parsed first and filled in afterwards, so a value can never become structure: not a key, not a list, and
inside a verb not even a second word.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from launch.configuration.located import Keys, Located
from launch.configuration.problems import Problem, listed, nearest, shown
from launch.configuration.yaml_source import scalar
from phases.errors import ConfigurationError

IMAGE = "IMAGE_TAG"
"""What `--image` sets."""
PREVIOUS_IMAGE = "PREVIOUS_IMAGE_TAG"
"""What runs now; empty before the first launch."""

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_VARIABLE = re.compile(
    r"(?P<escaped>\$\$\{)|\$\{(?:(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>[^}]*))?\}|(?P<wrong>[^}]*\}?))"
)
_VERBS = frozenset({"execute", "rollback"})


@dataclass(frozen=True, slots=True)
class Variables:
    """Where the values of variables come from, the first that has one wins.

    Attributes:
        sets: from `--set NAME=VALUE`.
        image: from `--image`; the value of `IMAGE_TAG`.
        previous_image: what runs now, None before the first launch; the value of `PREVIOUS_IMAGE_TAG`.
        environ: the process's environment.
        defaults: `launch:variables` of the environment's file.
    """

    sets: Mapping[str, str] = field(default_factory=dict)
    image: str | None = None
    previous_image: str | None = None
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)
    defaults: Mapping[str, str] = field(default_factory=dict, repr=False)

    def get(self, name: str) -> str | None:
        """Return the value of a variable, None where it has none."""
        if name == PREVIOUS_IMAGE:
            return self.previous_image or ""
        if name in self.sets:
            return self.sets[name]
        if name == IMAGE:
            # A pipeline that exports the variable without a value has not chosen an image.
            return self.image or self.environ.get(name) or self.defaults.get(name) or None
        return self.environ.get(name, self.defaults.get(name))

    def check(self) -> None:
        """Refuse `--set` of what cannot be set.

        Raises:
            ConfigurationError: a name that is none, the previous image, or an image that contradicts `--image`.
        """
        for name in self.sets:
            if not _NAME.fullmatch(name):
                raise ConfigurationError(
                    f"--set: {name!r} is not a name; write --set NAME=VALUE with letters, digits and _ in NAME."
                )
        # A launch that is resumed sets what it once used, this one included.
        if self.sets.get(PREVIOUS_IMAGE, self.previous_image or "") != (self.previous_image or ""):
            raise ConfigurationError(
                f"--set {PREVIOUS_IMAGE}: this is what runs now, read from the deploy stack; it cannot be set."
            )
        if self.image and self.sets.get(IMAGE, self.image) != self.image:
            raise ConfigurationError(
                f"--image says {self.image} and --set {IMAGE} says {self.sets[IMAGE]}; give one of the two."
            )


@dataclass(frozen=True, slots=True)
class Filled:
    """A tree whose variables have values.

    Attributes:
        tree: the tree.
        used: the variables it uses, with their values.
        problems: variables without a value, and what looks like a variable and is none.
    """

    tree: Located
    used: Mapping[str, str] = field(repr=False)
    problems: tuple[Problem, ...]


def fill(tree: Located, variables: Variables, *, empty: frozenset[str] = frozenset()) -> Filled:
    """Return the tree with every `${NAME}` in its strings replaced.

    `$${NAME}` stands for the text `${NAME}`, and `${NAME:-TEXT}` for TEXT where NAME has no value or an empty one. A
    scalar without quotes that is a single variable gets the type that YAML gives its value: `timeout_ms: ${LIMIT}` is
    a number.

    Args:
        tree: what was read.
        variables: the values.
        empty: names that are empty, not wrong, where they have no value.
    """
    filler = _Filler(tree, variables, empty)
    data = filler.value(tree.data, ())
    return Filled(Located(data, tree.marks, tree.plain), MappingProxyType(filler.used), tuple(filler.problems))


def unused(filled: Filled, variables: Variables, *, file: str) -> None:
    """Refuse a `--set` that changes nothing: it is a slip of the pen.

    Raises:
        ConfigurationError: with the variables that the file does use.
    """
    used = sorted({*filled.used, *(name for problem in filled.problems for name in _names(problem.text))})
    for name in variables.sets:
        if name not in used:
            raise ConfigurationError(
                f"--set {name}: {file} uses no ${{{name}}}{nearest(name, used)}; "
                f"the variables it uses are {listed(used, none='none')}."
            )


def _names(text: str) -> list[str]:
    return [match["name"] for match in _VARIABLE.finditer(text) if match["name"]]


class _Filler:
    def __init__(self, tree: Located, variables: Variables, empty: frozenset[str]) -> None:
        self._tree = tree
        self._variables = variables
        self._empty = empty
        self.used: dict[str, str] = {}
        self.problems: list[Problem] = []

    def value(self, value: Any, keys: Keys) -> Any:  # noqa: ANN401
        if isinstance(value, Mapping):
            return {key: self.value(item, (*keys, key)) for key, item in value.items()}
        if isinstance(value, list):
            return [self.value(item, (*keys, index)) for index, item in enumerate(value)]
        if not isinstance(value, str) or "${" not in value:
            return value
        whole = _VARIABLE.fullmatch(value)
        if whole is not None and whole["name"] is not None:
            text = self._text(value, keys)
            return _typed(text) if keys in self._tree.plain else text
        if len(keys) > 1 and keys[-1] in _VERBS and keys[-2] == "actions":
            return self._words(value, keys)
        return self._text(value, keys)

    def _words(self, value: str, keys: Keys) -> str:
        try:
            words = shlex.split(value)
        except ValueError:
            return self._text(value, keys)  # quotes that do not match are the verb's own error
        return shlex.join(self._text(word, keys) for word in words)

    def _text(self, text: str, keys: Keys) -> str:
        return _VARIABLE.sub(lambda match: self._replacement(match, keys), text)

    def _replacement(self, match: re.Match[str], keys: Keys) -> str:
        if match["escaped"]:
            return "${"
        name, default = match["name"], match["default"]
        if name is None:
            self._report(
                keys,
                f"found {shown(match[0])}; a variable is written ${{NAME}} or ${{NAME:-default}}, and $${{ is "
                "a plain ${",
            )
            return match[0]
        found = self._variables.get(name)
        if not found and default is not None:
            found = default
        if found is None and name in self._empty:
            found = ""
        if found is None:
            remedy = "--image NAME:TAG" if name == IMAGE else f"--set {name}=VALUE or the environment variable {name}"
            self._report(keys, f"${{{name}}} has no value; give it one with {remedy}")
            return match[0]
        self.used[name] = found
        return found

    def _report(self, keys: Keys, text: str) -> None:
        self.problems.append(Problem(self._tree.mark(keys), text))


def _typed(text: str) -> Any:  # noqa: ANN401
    value = scalar(text)
    return value if isinstance(value, bool | int | float) else text
