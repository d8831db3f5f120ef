"""Reads a YAML file into plain data with the line of every value.

Scalars follow the core schema of YAML 1.2 (https://yaml.org/spec/1.2.2/#103-core-schema), as editors and Pulumi do:
`on`, `off`, `yes` and `no` are words, `1:30` is no number, and dates stay text. A key that is written twice is an
error, where PyYAML would silently take the second one.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, ClassVar

import yaml

from launch.configuration.located import Keys, Located, joined
from launch.configuration.problems import Mark, at
from phases.errors import ConfigurationError

_BOOL = re.compile(r"true|True|TRUE|false|False|FALSE")
_INT = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_NULL = re.compile(r"~|null|Null|NULL|")

_CORE = "tag:yaml.org,2002:"
_MOST_NODES = 50_000  # aliases of aliases can make a short file endless


class Loader(yaml.SafeLoader):
    """PyYAML's loader, with the scalars of YAML 1.2 in place of those of 1.1."""

    # Without a table of its own the class would add to the one of its base.
    yaml_implicit_resolvers: ClassVar[dict[str, list[tuple[str, re.Pattern[str]]]]] = {}  # type: ignore[misc]


for _tag, _pattern, _first in (
    ("bool", _BOOL, "tTfF"),
    ("int", _INT, "-+0123456789"),
    ("float", _FLOAT, "-+.0123456789"),
    ("null", _NULL, ["~", "n", "N", ""]),
    ("merge", re.compile("<<"), "<"),
):
    Loader.add_implicit_resolver(_CORE + _tag, re.compile(rf"(?:{_pattern.pattern})\Z"), list(_first))


def read(path: Path, *, name: str) -> Located:
    """Return the content of a file.

    Args:
        path: the file.
        name: as the user knows it, for messages.

    Raises:
        ConfigurationError: it cannot be read, is no YAML, or writes a key twice.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise ConfigurationError(f"{name}: there is no such file ({path}).") from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{name}: byte {error.start} is not UTF-8; save the file as UTF-8.") from error
    except OSError as error:
        raise ConfigurationError(f"{name}: cannot be read: {error.strerror or error}.") from error
    return parse(text, name=name)


def parse(text: str, *, name: str) -> Located:
    """Return the content of a YAML text; an empty one is an empty mapping.

    Raises:
        ConfigurationError: as for `read`.
    """
    try:
        node = yaml.compose(text, Loader=Loader)
    except yaml.MarkedYAMLError as error:
        raise _syntax(error, text, name) from error
    except yaml.YAMLError as error:  # characters that YAML does not allow
        raise _characters(error, text, name) from error
    except RecursionError as error:
        raise ConfigurationError(f"{name}: it is nested too deeply to be a configuration.") from error
    if node is None:
        return Located({}, {(): Mark(name, 1)})
    reader = _Reader(name)
    data = reader.value(node, (), Mark(name, _line(node)), ())
    return Located(data, reader.marks, frozenset(reader.plain))


def scalar(text: str) -> Any:  # noqa: ANN401
    """Return the number, truth value, null or text that a plain scalar means."""
    if _NULL.fullmatch(text):
        return None
    if _BOOL.fullmatch(text):
        return text.lower() == "true"
    if _INT.fullmatch(text):
        return int(text, 10 if text.lstrip("+-").isdecimal() else 0)
    if _FLOAT.fullmatch(text):
        return float(re.sub(r"\.(inf|nan)", r"\1", text.lower()))
    return text


class _Reader:
    def __init__(self, name: str) -> None:
        self.name = name
        self.marks: dict[Keys, Mark] = {}
        self.plain: set[Keys] = set()
        self._nodes = 0

    def value(self, node: yaml.Node, keys: Keys, mark: Mark, above: tuple[yaml.Node, ...]) -> Any:  # noqa: ANN401
        self.marks[keys] = mark
        self._nodes += 1
        if self._nodes > _MOST_NODES:
            raise at(mark, f"the file has more than {_MOST_NODES} values once its aliases are followed")
        if any(node is other for other in above):
            raise at(mark, "an alias stands for something that holds this very alias; a value cannot hold itself")
        above = (*above, node)
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, keys, mark, above)
        if isinstance(node, yaml.SequenceNode):
            return [
                self.value(item, (*keys, index), Mark(self.name, _line(item), joined(mark.where, index)), above)
                for index, item in enumerate(node.value)
            ]
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, keys, mark)
        raise TypeError(node)  # a YAML document has no other nodes

    def _scalar(self, node: yaml.ScalarNode, keys: Keys, mark: Mark) -> Any:  # noqa: ANN401
        if node.style is None:
            self.plain.add(keys)
        if node.tag == f"{_CORE}str":
            return node.value
        if node.tag in {_CORE + kind for kind in ("bool", "int", "float", "null")}:
            return scalar(node.value)
        raise at(mark, f"the tag {node.tag.replace(_CORE, '!!')} means nothing here; write the value alone")

    def _mapping(self, node: yaml.MappingNode, keys: Keys, mark: Mark, above: tuple[yaml.Node, ...]) -> dict[str, Any]:
        entries: dict[str, Any] = {}
        lines: dict[str, int] = {}
        merged: list[yaml.Node] = []
        for key_node, value_node in node.value:
            if key_node.tag == f"{_CORE}merge":
                merged.append(value_node)
                continue
            if not isinstance(key_node, yaml.ScalarNode):
                raise at(Mark(self.name, _line(key_node), mark.where), "a key must be a word, not a list or a mapping")
            key = key_node.value
            place = Mark(self.name, _line(key_node), joined(mark.where, key))
            if key in lines:
                raise at(place, f"this key is already on line {lines[key]}; remove one of the two")
            lines[key] = place.line
            entries[key] = self.value(value_node, (*keys, key), place, above)
        for source in merged:
            self._merge(source, keys, mark, above, entries)
        return entries

    def _merge(
        self, node: yaml.Node, keys: Keys, mark: Mark, above: tuple[yaml.Node, ...], entries: dict[str, Any]
    ) -> None:
        """Add what `<<` stands for, except where a key is written beside it (https://yaml.org/type/merge.html)."""
        for source in node.value if isinstance(node, yaml.SequenceNode) else [node]:
            if not isinstance(source, yaml.MappingNode) or any(source is other for other in above):
                raise at(Mark(self.name, _line(source), mark.where), "<< merges mappings only: <<: *name")
            inner = _Reader(self.name)
            inner._nodes = self._nodes
            for key, value in inner._mapping(source, keys, mark, (*above, source)).items():
                if key not in entries:
                    entries[key] = value
                    here = (*keys, key)
                    self.marks |= {path: at for path, at in inner.marks.items() if path[: len(here)] == here}
                    self.plain |= {path for path in inner.plain if path[: len(here)] == here}
            self._nodes = inner._nodes


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def _syntax(error: yaml.MarkedYAMLError, text: str, name: str) -> ConfigurationError:
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line, mark.column) if mark else (0, 0)
    what = " ".join(part for part in (error.context, error.problem) if part)
    lines = text.splitlines()
    if line < len(lines) and "\t" in lines[line][: column + 1]:
        what = "YAML is indented with spaces, and here is a tab"
    elif "expected a single document" in what:
        what = "here begins a second document; the file may hold only one"
    return ConfigurationError(f"{name}:{line + 1}:{column + 1}: this is not valid YAML: {what}")


def _characters(error: yaml.YAMLError, text: str, name: str) -> ConfigurationError:
    position = getattr(error, "position", 0)
    line = text.count("\n", 0, position) + 1
    column = position - (text.rfind("\n", 0, position) + 1) + 1
    character = text[position : position + 1]
    return ConfigurationError(f"{name}:{line}:{column}: this is not valid YAML: {character!r} is not allowed in it")
