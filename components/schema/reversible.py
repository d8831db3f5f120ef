"""Which migrations have a way down, read from their source."""

from __future__ import annotations

import ast
import dataclasses
from pathlib import Path

from components.schema import scripts as script_files


@dataclasses.dataclass(frozen=True, slots=True)
class OneWay:
    """A migration without a way down.

    Attributes:
        revision: its id.
        reason: what its `downgrade` looks like.
    """

    revision: str
    reason: str


def one_way(scripts: str | Path, lower: str | None, upper: str) -> tuple[OneWay, ...]:
    """Migrations after `lower` up to and with `upper` that cannot be taken back, oldest first.

    Those are: no `downgrade` at all, one that only raises, and one that does nothing although `upgrade` does
    something.

    Raises:
        ScriptsError: one of the revisions is not there.
    """
    found = []
    for script in script_files.between(scripts, lower, upper):
        reason = _reason(ast.parse(Path(script.path).read_text(encoding="utf-8")))
        if reason is not None:
            found.append(OneWay(script.revision, reason))
    return tuple(found)


def _reason(module: ast.Module) -> str | None:
    functions = {node.name: node for node in module.body if isinstance(node, ast.FunctionDef)}
    if "downgrade" in functions:
        down = _acts(functions["downgrade"])
        if down and isinstance(down[0], ast.Raise):
            return "its downgrade only raises"
        if down:
            return None
        kind = "its downgrade does nothing"
    elif _binds(module, "downgrade"):
        return None  # imported or assigned: what it does cannot be read here
    else:
        kind = "it has no downgrade"
    up = functions.get("upgrade")
    return None if up is not None and not _acts(up) else kind


def _acts(function: ast.FunctionDef) -> list[ast.stmt]:
    """The statements that do something: no docstring, no `pass`, no `...`, no bare `return`."""
    return [
        node
        for node in function.body
        if not isinstance(node, ast.Pass)
        and not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
        and not (isinstance(node, ast.Return) and node.value is None)
    ]


def _binds(module: ast.Module, name: str) -> bool:
    for node in module.body:
        if isinstance(node, ast.ImportFrom | ast.Import):
            if any((alias.asname or alias.name) in {name, "*"} for alias in node.names):
                return True
        elif isinstance(node, ast.Assign) and any(
            isinstance(target, ast.Name) and target.id == name for target in node.targets
        ):
            return True
    return False
