"""The types of a resource's properties: one declaration is the schema, the check and the documentation.

The JSON follows Pulumi's package schema,
https://www.pulumi.com/docs/iac/guides/building-extending/packages/schema/.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from components.provider.unknown import Unknown

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


class Type(Protocol):
    """A type of a property."""

    def schema(self) -> dict[str, Any]:
        """Its type specification in a package schema."""

    def mistakes(self, value: object, path: str) -> Iterator[tuple[str, str]]:
        """Pairs of property path and reason for what does not fit."""


def child(path: str, key: str) -> str:
    """The property path of `key` below `path`, quoted where it is no identifier."""
    if _IDENTIFIER.match(key):
        return f"{path}.{key}" if path else key
    quoted = key.replace("\\", "\\\\").replace('"', '\\"')
    return f'{path}["{quoted}"]'


def _named(value: object) -> str:
    if value is None:
        return "nothing"
    names = {
        bool: "a boolean",
        int: "a number",
        float: "a number",
        str: "a string",
        list: "a list",
        dict: "a map",
    }
    return names.get(type(value), type(value).__name__)


@dataclass(frozen=True, slots=True)
class String:
    """Text.

    Attributes:
        pattern: a regular expression that the whole text matches.
        means: what the pattern asks for, in words.
    """

    pattern: str = ""
    means: str = ""

    def schema(self) -> dict[str, Any]:
        """Its type specification in a package schema."""
        return {"type": "string"}

    def mistakes(self, value: object, path: str) -> Iterator[tuple[str, str]]:
        """Pairs of property path and reason for what does not fit."""
        if not isinstance(value, str):
            yield path, f"is {_named(value)}, but should be a string"
        elif self.pattern and not re.fullmatch(self.pattern, value):
            yield path, f"is {value!r}, but should be {self.means or self.pattern}"


@dataclass(frozen=True, slots=True)
class Number:
    """A number, or with `whole` an integer, within limits."""

    minimum: float | None = None
    maximum: float | None = None
    whole: bool = False

    def schema(self) -> dict[str, Any]:
        """Its type specification in a package schema."""
        return {"type": "integer" if self.whole else "number"}

    def mistakes(self, value: object, path: str) -> Iterator[tuple[str, str]]:
        """Pairs of property path and reason for what does not fit."""
        kind = "a whole number" if self.whole else "a number"
        if isinstance(value, bool) or not isinstance(value, int | float):
            yield path, f"is {_named(value)}, but should be {kind}"
        elif self.whole and value != int(value):
            yield path, f"is {value}, but should be {kind}"
        elif (self.minimum is not None and value < self.minimum) or (self.maximum is not None and value > self.maximum):
            low = "" if self.minimum is None else f" from {self.minimum:g}"
            high = "" if self.maximum is None else f" to {self.maximum:g}"
            yield path, f"is {value:g}, but should be {kind}{low}{high}"


@dataclass(frozen=True, slots=True)
class Boolean:
    """True or false."""

    def schema(self) -> dict[str, Any]:
        """Its type specification in a package schema."""
        return {"type": "boolean"}

    def mistakes(self, value: object, path: str) -> Iterator[tuple[str, str]]:
        """Pairs of property path and reason for what does not fit."""
        if not isinstance(value, bool):
            yield path, f"is {_named(value)}, but should be true or false"


@dataclass(frozen=True, slots=True)
class Anything:
    """Any JSON value."""

    def schema(self) -> dict[str, Any]:
        """Its type specification in a package schema."""
        return {"$ref": "pulumi.json#/Any"}

    def mistakes(self, value: object, path: str) -> Iterator[tuple[str, str]]:  # noqa: ARG002
        """Nothing does not fit."""
        yield from ()


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list of one type."""

    item: Type
    minimum: int = 0

    def schema(self) -> dict[str, Any]:
        """Its type specification in a package schema."""
        return {"type": "array", "items": self.item.schema()}

    def mistakes(self, value: object, path: str) -> Iterator[tuple[str, str]]:
        """Pairs of property path and reason for what does not fit."""
        if not isinstance(value, list):
            yield path, f"is {_named(value)}, but should be a list"
            return
        if len(value) < self.minimum:
            yield path, f"has {len(value)} items, but should have at least {self.minimum}"
        for index, item in enumerate(value):
            if not isinstance(item, Unknown):
                yield from self.item.mistakes(item, f"{path}[{index}]")


@dataclass(frozen=True, slots=True)
class MapOf:
    """A map from text to one type."""

    item: Type

    def schema(self) -> dict[str, Any]:
        """Its type specification in a package schema."""
        return {"type": "object", "additionalProperties": self.item.schema()}

    def mistakes(self, value: object, path: str) -> Iterator[tuple[str, str]]:
        """Pairs of property path and reason for what does not fit."""
        if not isinstance(value, dict):
            yield path, f"is {_named(value)}, but should be a map"
            return
        for key, item in value.items():
            if not isinstance(item, Unknown):
                yield from self.item.mistakes(item, child(path, key))


@dataclass(frozen=True, slots=True)
class Property:
    """One property of a resource or of an object in it.

    Attributes:
        type: its type.
        description: for the schema, Markdown.
        required: an input that must be given; an output that is always there.
        default: what an input is when it is not given.
        replaces: a change of this input forces a new resource.
        derived: of an output: the inputs it is made from. It is secret where one of them is, and unknown in a
            preview where one of them is.
    """

    type: Type
    description: str
    required: bool = True
    default: Any = None
    replaces: bool = False
    derived: tuple[str, ...] = ()

    def schema(self) -> dict[str, Any]:
        """Its property specification in a package schema."""
        specification = {**self.type.schema(), "description": self.description}
        if isinstance(self.default, str | bool | int | float):
            specification["default"] = self.default
        if self.replaces:
            specification["replaceOnChanges"] = True
        return specification


Properties = Mapping[str, Property]


@dataclass(frozen=True, slots=True)
class Object:
    """A map with named properties.

    Attributes:
        token: its type token in the schema, such as `launch:local:Readiness`.
        properties: what it holds.
        description: for the schema, Markdown.
    """

    token: str
    properties: Properties = field(hash=False)
    description: str = ""

    def schema(self) -> dict[str, Any]:
        """Its type specification in a package schema."""
        return {"$ref": f"#/types/{self.token}"}

    def mistakes(self, value: object, path: str) -> Iterator[tuple[str, str]]:
        """Pairs of property path and reason for what does not fit."""
        if not isinstance(value, dict):
            yield path, f"is {_named(value)}, but should be a map with {', '.join(self.properties)}"
            return
        yield from mistakes(self.properties, value, path)


def mistakes(properties: Properties, values: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, str]]:
    """Everything in `values` that does not fit `properties`, as pairs of property path and reason."""
    for name in values:
        if name not in properties and not name.startswith("__"):
            known = ", ".join(sorted(properties))
            yield child(path, name), f"is not a property; there are {known}"
    for name, declared in properties.items():
        value = values.get(name)
        if value is None:
            if declared.required and declared.default is None:
                yield child(path, name), f"is missing: {declared.description}"
        elif not isinstance(value, Unknown):
            yield from declared.type.mistakes(value, child(path, name))


def filled(properties: Properties, values: Mapping[str, Any]) -> dict[str, Any]:
    """`values` with defaults filled in, properties without a value left out, and whole numbers made `int`.

    Pulumi's protocol knows one kind of number, a double; where an integer is declared, resources get one.
    """
    result = {
        name: _filled(properties[name].type, value)
        for name, value in values.items()
        if value is not None and name in properties
    }
    for name, declared in properties.items():
        if name not in result and declared.default is not None:
            result[name] = declared.default
    return result


def _filled(kind: Type, value: Any) -> Any:  # noqa: ANN401 - any property value
    match kind:
        case Number(whole=True) if isinstance(value, float) and value == int(value):
            return int(value)
        case Object() if isinstance(value, dict):
            return filled(kind.properties, value)
        case ListOf() if isinstance(value, list):
            return [_filled(kind.item, item) for item in value]
        case MapOf() if isinstance(value, dict):
            return {key: _filled(kind.item, item) for key, item in value.items()}
        case _:
            return value
