"""Turns what pydantic says about a file into sentences with file, line, key path, what was found and what is right."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from launch.configuration.located import Keys, Located
from launch.configuration.problems import Problem, listed, nearest, shown
from launch.configuration.shape import Shape, find, tags
from phases.model import BY_HAND, Misplaced

M = TypeVar("M", bound=BaseModel)


def validated(
    model: type[M],
    tree: Located,
    *,
    context: Mapping[str, Any] | None = None,
    secret: Callable[[Keys], bool] | None = None,
) -> tuple[M | None, list[Problem]]:
    """Return the tree as a model, or None and what is wrong with it.

    Args:
        model: what the tree should be.
        tree: the data and its places.
        context: handed to the model's validators.
        secret: whether the value at a path must not be shown.
    """
    try:
        made = model.model_validate(tree.data, context={**BY_HAND, **(context or {})})
    except ValidationError as error:
        return None, _problems(model, tree, error, secret or (lambda _: False))
    mistaken = [
        Problem(tree.mark(keys), f"found {shown(tree.get(keys))}; it must be a number, not true or false")
        for keys in _truth_for_numbers(made, tree.data, ())
    ]
    return (None if mistaken else made), mistaken


def _truth_for_numbers(made: object, written: object, keys: Keys) -> Iterator[Keys]:
    """Find where true became 1, as pydantic reads it: `weight: true` would send 1% of the users."""
    if isinstance(written, bool):
        if isinstance(made, int | float) and not isinstance(made, bool):
            yield keys
    elif isinstance(written, list) and isinstance(made, tuple | list):
        for index, (inner, item) in enumerate(zip(made, written, strict=False)):
            yield from _truth_for_numbers(inner, item, (*keys, index))
    elif isinstance(written, Mapping):
        for key, item in written.items():
            inner = made.get(key) if isinstance(made, Mapping) else getattr(made, key, None)
            yield from _truth_for_numbers(inner, item, (*keys, key))


def _problems(
    model: type[BaseModel], tree: Located, error: ValidationError, secret: Callable[[Keys], bool]
) -> list[Problem]:
    found: dict[Keys, list[tuple[ErrorDetails, Shape]]] = {}
    for details in error.errors(include_url=False):
        if not _is_noise(details):
            shape = find(model, details["loc"])
            found.setdefault(shape.keys, []).append((details, shape))
    problems = []
    for keys, candidates in found.items():
        # Where several readings of a value failed, those that got further in say more.
        if len(candidates) > 1 and any(len(other) > len(keys) and other[: len(keys)] == keys for other in found):
            continue
        problems.append(_problem(model, tree, keys, candidates, secret))
    return problems


def _is_noise(details: ErrorDetails) -> bool:
    """Tell apart a list that is too short from one whose entries are wrong and therefore not counted."""
    return (
        details["type"] == "too_short"
        and isinstance(details["input"], list | tuple | dict)
        and len(details["input"]) >= details.get("ctx", {}).get("min_length", 0)
    )


def _problem(
    model: type[BaseModel],
    tree: Located,
    keys: Keys,
    candidates: list[tuple[ErrorDetails, Shape]],
    secret: Callable[[Keys], bool],
) -> Problem:
    details, shape = candidates[0]
    value = tree.get(keys)
    cause = details.get("ctx", {}).get("error")
    if not isinstance(cause, ValueError):
        cause = None  # pydantic's own words
    if isinstance(cause, Misplaced):
        keys, value = (*keys, *cause.at), cause.found
    mark = tree.mark(keys)
    if details["type"] == "extra_forbidden":
        holder = find(model, details["loc"][:-1])
        known = holder.known_keys()
        near = nearest(str(keys[-1]), known)
        return Problem(mark, f"there is no such key{near}; the keys here are {listed(known, none='none')}")
    if details["type"] == "missing":
        return Problem(mark, f"this key is missing; it must be {_rules(candidates)}{_meaning(shape)}")
    if details["type"].startswith("union_tag"):
        return Problem(*_wrong_tag(tree, shape, value))
    hint = ""
    if details["type"] in ("literal_error", "enum") and isinstance(value, str):
        hint = nearest(value, _rules(candidates).removeprefix("one of ").split(", "))
    seen = f"found {_quoted(value, keys, secret)}{hint}; "
    if cause is not None:
        return Problem(mark, f"{cause}" if isinstance(value, dict | list) else f"{seen}{cause}")
    return Problem(mark, f"{seen}it must be {_rules(candidates)}")


def _wrong_tag(tree: Located, shape: Shape, value: Any) -> tuple[Any, str]:  # noqa: ANN401
    known = tags(shape)
    keys = (*shape.keys, "type")
    name = value.get("type") if isinstance(value, Mapping) else None
    if name is None:
        return tree.mark(keys), f"this key is missing; it says which gate this is: {listed(known)}"
    return tree.mark(keys), f"found {shown(name)}{nearest(str(name), known)}; the gates are {listed(known)}"


def _quoted(value: object, keys: Keys, secret: Callable[[Keys], bool]) -> str:
    if secret(keys):
        return "[secret]"
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        return "a mapping"
    return "a list" if isinstance(value, list | tuple) else shown(value)


def _rules(candidates: list[tuple[ErrorDetails, Shape]]) -> str:
    return " or ".join(dict.fromkeys(shape.rule() for _, shape in candidates))


def _meaning(shape: Shape) -> str:
    return f" ({shape.meaning.splitlines()[0].rstrip('.')})" if shape.meaning else ""
