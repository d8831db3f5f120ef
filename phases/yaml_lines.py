"""Where in a YAML file something is: from the path of a validation error to a line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def line_of(node: Any, path: Sequence[int | str]) -> int:  # noqa: ANN401 - nodes of PyYAML have no types
    """Return the 1-based line of the deepest part of `path` that the file has; 1 where the file is empty.

    Args:
        node: what `yaml.compose` returned.
        path: list indexes and mapping keys, as pydantic's `loc`. Parts that are no part of the file (pydantic adds
            the names of union members) are skipped.
    """
    if node is None:
        return 1
    line = int(node.start_mark.line) + 1
    for part in path:
        found = _step(node, part)
        if found is not None:
            node, line = found
    return line


def _step(node: Any, part: int | str) -> tuple[Any, int] | None:  # noqa: ANN401
    import yaml

    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == str(part):
                return value, key.start_mark.line + 1
    elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        return node.value[part], node.value[part].start_mark.line + 1
    return None
