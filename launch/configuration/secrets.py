"""Puts the values that Pulumi decrypted back where the environment's file has them encrypted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

from launch.configuration.environment import NAMESPACE
from launch.configuration.located import Key, Keys, Located
from launch.configuration.problems import Mark, Problem


class ConfigValue(Protocol):
    """A value of Pulumi's configuration, as the engine hands it over."""

    @property
    def value(self) -> Any:  # noqa: ANN401
        """The value, decrypted."""
        ...

    @property
    def secret(self) -> bool:
        """Whether it is, or holds, a secret."""
        ...


@dataclass(frozen=True, slots=True)
class Opened:
    """An environment's settings in plain text, in memory only.

    Attributes:
        tree: the mapping below `config`, with the keys' namespaces.
        hidden: paths whose values are secret.
        secrets: the secret values, to be taken out of everything that is shown or written.
        problems: encrypted values that Pulumi has not handed over.
    """

    tree: Located = field(repr=False)
    hidden: frozenset[Keys]
    secrets: tuple[str, ...] = field(repr=False)
    problems: tuple[Problem, ...]

    def is_hidden(self, keys: Keys) -> bool:
        """Return whether the value at a path is secret, or is part of a secret, or holds one."""
        return any(keys[: len(path)] == path or path[: len(keys)] == keys for path in self.hidden)


def opened(tree: Located, values: Mapping[str, ConfigValue], *, file: str) -> Opened:
    """Return the settings of the file, its encrypted values in plain, and those that Pulumi has besides (ESC).

    Plain values are taken from the file, where `1.10` is still what was written and every value has a line.

    Args:
        tree: the mapping below `config` in the file.
        values: what Pulumi says the configuration is, by full key.
        file: the file's name.
    """
    opener = _Opener(tree)
    data = {}
    for key, written in tree.data.items():
        answer = values.get(key)
        data[key] = opener.value(written, answer.value if answer else None, (key,))
    marks = dict(tree.marks)
    for key, answer in values.items():
        if key not in data:  # imported from an environment of Pulumi ESC: no line of the file holds it
            data[key] = answer.value
            marks[(key,)] = Mark(file, tree.mark(()).line, f"{key} (imported)")
            if answer.secret:
                opener.hide(answer.value, (key,))
    return Opened(
        Located(data, marks, tree.plain), frozenset(opener.hidden), _with_parts(opener.secrets), tuple(opener.problems)
    )


class _Opener:
    def __init__(self, tree: Located) -> None:
        self._tree = tree
        self.hidden: set[Keys] = set()
        self.secrets: list[str] = []
        self.problems: list[Problem] = []

    def value(self, written: Any, plain: Any, keys: Keys) -> Any:  # noqa: ANN401
        if isinstance(written, Mapping):
            if set(written) == {"secure"}:
                return self._decrypted(plain, keys)
            return {key: self.value(item, _part(plain, key), (*keys, key)) for key, item in written.items()}
        if isinstance(written, list):
            return [self.value(item, _part(plain, index), (*keys, index)) for index, item in enumerate(written)]
        return written

    def _decrypted(self, plain: Any, keys: Keys) -> Any:  # noqa: ANN401
        if plain is None and str(keys[0]).startswith(f"{NAMESPACE}:"):
            self.problems.append(
                Problem(self._tree.mark(keys), "the value is encrypted and Pulumi has not decrypted it; set it again")
            )
        else:
            self.hide(plain, keys)
        return plain

    def hide(self, plain: Any, keys: Keys) -> None:  # noqa: ANN401
        self.hidden.add(keys)
        self.secrets += _leaves(plain)


def _part(value: Any, key: Key) -> Any:  # noqa: ANN401
    if isinstance(value, Mapping):
        return value.get(key)
    return value[key] if isinstance(value, list) and isinstance(key, int) and key < len(value) else None


def _leaves(value: Any) -> Iterator[str]:  # noqa: ANN401
    if isinstance(value, Mapping):
        for item in value.values():
            yield from _leaves(item)
    elif isinstance(value, list):
        for item in value:
            yield from _leaves(item)
    elif value is not None and not isinstance(value, bool):
        yield str(value)


def _with_parts(secrets: list[str]) -> tuple[str, ...]:
    """Add the passwords inside secret URLs, since drivers and servers show them alone."""
    found: dict[str, None] = {}
    for secret in filter(None, secrets):
        found[secret] = None
        try:
            password = urlsplit(secret).password if "://" in secret else None
        except ValueError:  # no URL after all
            continue
        if password:
            found |= dict.fromkeys((password, unquote(password)))
    return tuple(found)
