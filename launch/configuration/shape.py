"""What the models expect at a place: which keys there are, and a rule in words."""

from __future__ import annotations

import types
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt, MinLen
from pydantic import BaseModel, WithJsonSchema
from pydantic.fields import FieldInfo

from launch.configuration.located import Keys
from phases.meanings import meaning

_UNIT = "_ms"


@dataclass(frozen=True, slots=True)
class Shape:
    """What may stand at a place.

    Attributes:
        annotation: the type, without `Annotated`.
        metadata: its constraints.
        keys: the path to it in the data.
        name: the last key's name.
        field: the model's field, where the place is one.
        meaning: what is said of that field.
    """

    annotation: Any
    metadata: tuple[Any, ...] = ()
    keys: Keys = ()
    name: str = ""
    field: FieldInfo | None = None
    meaning: str | None = None

    @property
    def model(self) -> type[BaseModel] | None:
        """The model that describes the place, None where it is no mapping of known keys."""
        for member in members(self.annotation):
            origin = get_origin(member)
            inner = get_args(member)[0] if origin is Annotated else member
            if isinstance(inner, type) and issubclass(inner, BaseModel):
                return inner
        return None

    def known_keys(self) -> list[str]:
        """Return the keys that a mapping may have here."""
        return [field.alias or name for name, field in self.model.model_fields.items()] if self.model else []

    def rule(self) -> str:
        """Return what may be written here, as the end of a sentence that begins with "it must be"."""
        return _rule(self.annotation, self.metadata, self.name, self.field)


def find(model: type[BaseModel], location: Sequence[str | int]) -> Shape:
    """Return the shape at one of pydantic's locations, which hold the branches of unions between the keys."""
    shape = Shape(model)
    for part in location:
        shape = _step(shape, part)
    return shape


def _step(shape: Shape, part: str | int) -> Shape:
    annotation, metadata = bare(shape.annotation, shape.metadata)
    branches = members(annotation)
    if len(branches) > 1:
        return Shape(*_branch(branches, str(part), metadata), shape.keys, shape.name)
    only, metadata = bare(branches[0], metadata)
    origin, args = get_origin(only), get_args(only)
    if isinstance(only, type) and issubclass(only, BaseModel):
        for name, field in only.model_fields.items():
            if part in (name, field.alias):
                inner, extra = bare(field.annotation, tuple(field.metadata))
                return Shape(inner, extra, (*shape.keys, part), str(part), field, meaning(only, name, field))
        return Shape(Any, (), (*shape.keys, part), str(part))
    if origin is tuple and isinstance(part, int):
        return Shape(*bare(args[0], ()), (*shape.keys, part), shape.name)
    if origin is not None and issubclass(origin, Mapping) and args:
        return Shape(*bare(args[1], ()), (*shape.keys, part), str(part))
    # Anything else is a name that pydantic gives its own inner steps ("function-after[...]", "[key]").
    inner = isinstance(part, str) and ("[" in part or only is not Any)
    keys = shape.keys if inner else (*shape.keys, part)
    return Shape(only, metadata, keys, shape.name, shape.field, shape.meaning)


def _branch(branches: Sequence[Any], label: str, metadata: tuple[Any, ...]) -> tuple[Any, tuple[Any, ...]]:
    for member in branches:
        only, extra = bare(member, ())
        if label == getattr(only, "__name__", None) or label in _tags(only):
            return only, extra
        if label.split("[", maxsplit=1)[0] == getattr(get_origin(only), "__name__", None):
            return only, extra
    # A constrained or wrapped member carries a made-up name; it is the one that is not spelled out.
    return bare(branches[0], metadata)


def _tags(member: Any) -> tuple[Any, ...]:  # noqa: ANN401
    if isinstance(member, type) and issubclass(member, BaseModel):
        field = member.model_fields.get("type")
        if field is not None and get_origin(field.annotation) is Literal:
            return get_args(field.annotation)
    return ()


def bare(annotation: Any, metadata: tuple[Any, ...]) -> tuple[Any, tuple[Any, ...]]:  # noqa: ANN401
    """Return a type without `Annotated` and `None`, and what `Annotated` said about it."""
    while get_origin(annotation) is Annotated:
        annotation, *more = get_args(annotation)
        metadata = (*more, *metadata)
    branches = members(annotation)
    if len(branches) == 1 and branches[0] is not annotation:
        return bare(branches[0], metadata)
    return annotation, metadata


def members(annotation: Any) -> tuple[Any, ...]:  # noqa: ANN401
    """Return the branches of a union, `None` left out; of anything else, itself."""
    if get_origin(annotation) in (Union, types.UnionType):
        return tuple(member for member in get_args(annotation) if member is not type(None))
    return (annotation,)


def tags(shape: Shape) -> list[str]:
    """Return the values that tell the members of a union apart, such as the types of gates."""
    annotation, _ = bare(shape.annotation, ())
    return [str(tag) for member in members(annotation) for tag in _tags(bare(member, ())[0])]


def _rule(annotation: Any, metadata: tuple[Any, ...], name: str, field: FieldInfo | None) -> str:  # noqa: ANN401
    annotation, metadata = bare(annotation, metadata)
    branches = members(annotation)
    if len(branches) > 1:
        rules = dict.fromkeys(_rule(member, (), name, None) for member in branches)
        return " or ".join(rules)
    for schema in (item.json_schema for item in metadata if isinstance(item, WithJsonSchema)):
        if schema and "patternErrorMessage" in schema:
            return f"a duration with its unit, such as {', '.join(schema['examples'])}{_range(metadata)}"
    return _plain_rule(annotation, metadata, name, field)


def _plain_rule(annotation: Any, metadata: tuple[Any, ...], name: str, field: FieldInfo | None) -> str:  # noqa: ANN401
    origin, args = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return _choice([str(value) for value in args])
    if isinstance(origin, type):
        if issubclass(origin, tuple | list):
            least = " with at least one entry" if any(isinstance(item, MinLen) for item in metadata) else ""
            return f"a list{least}: each entry {_rule(args[0], (), name, None)}" if args else f"a list{least}"
        if issubclass(origin, Mapping):
            free = not args or args[1] is Any
            return "a mapping" if free else f"a mapping of names, each {_rule(args[1], (), name, None)}"
    if annotation is Any or not isinstance(annotation, type):
        return "anything"
    if issubclass(annotation, BaseModel):
        keys = [item.alias or key for key, item in annotation.model_fields.items()]
        return f"a mapping with keys of {', '.join(keys)}" if keys else "an empty mapping"
    if issubclass(annotation, Enum):
        return _choice([str(member.value) for member in annotation])
    return f"{_scalar_rule(annotation, metadata, name, field)}{_range(metadata)}"


def _scalar_rule(annotation: type, metadata: tuple[Any, ...], name: str, field: FieldInfo | None) -> str:
    if issubclass(annotation, bool):
        return "true or false"
    if issubclass(annotation, int | float):
        number = "a whole number" if issubclass(annotation, int) else "a number"
        return f"{number} of milliseconds" if name.endswith(_UNIT) else number
    if issubclass(annotation, datetime | date):
        return "a date such as 2026-01-31"
    if issubclass(annotation, Path):
        return "a path"
    if issubclass(annotation, str):
        extra = field.json_schema_extra if field is not None else None
        if isinstance(extra, dict) and "patternErrorMessage" in extra:
            return str(extra["patternErrorMessage"])
        return "text that is not empty" if any(isinstance(item, MinLen) for item in metadata) else "text"
    return "a mapping" if issubclass(annotation, Mapping) else "anything"


def _choice(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"one of {', '.join(names)}"


def _range(metadata: tuple[Any, ...]) -> str:
    bounds: dict[type, Any] = {}
    for item in metadata:
        for bound, attribute in ((Ge, "ge"), (Gt, "gt"), (Le, "le"), (Lt, "lt")):
            if isinstance(item, bound):
                bounds[bound] = getattr(item, attribute)
    if Ge in bounds and Le in bounds:
        return f" from {bounds[Ge]} to {bounds[Le]}"
    words = {Gt: "above", Ge: "not below", Lt: "below", Le: "not above"}
    return "".join(f", {words[bound]} {value}" for bound, value in bounds.items())
