"""What a team's `env.py` says of the version table, read without running it.

An `env.py` usually imports the service's models, for `alembic revision --autogenerate`; running migrations does not
need them. Where they cannot be imported - the service's packages are not installed beside us, or only a copy of the
scripts is left - our own environment can stand in, if it finds the revision in the same table.
"""

from __future__ import annotations

import ast
from pathlib import Path

_MATTER = ("version_table", "version_table_schema")


def literal_options(env: Path) -> dict[str, str | None] | None:
    """The options of `context.configure(...)` that say where the revision is recorded.

    Returns:
        The options with their values, empty where the defaults hold; None where they cannot be known without running
        the file: computed values, `**options`, several different calls, or none at all.
    """
    try:
        module = ast.parse(env.read_text(encoding="utf-8"))
    except (OSError, SyntaxError, ValueError):
        return None
    calls = [node for node in ast.walk(module) if isinstance(node, ast.Call) and _is_configure(node.func)]
    found = [_literals(call) for call in calls]
    if not found or any(options is None or options != found[0] for options in found):
        return None
    return found[0]


def _is_configure(function: ast.expr) -> bool:
    return isinstance(function, ast.Attribute) and function.attr == "configure"


def _literals(call: ast.Call) -> dict[str, str | None] | None:
    options: dict[str, str | None] = {}
    for keyword in call.keywords:
        if keyword.arg is None:
            return None
        if keyword.arg in _MATTER:
            if not isinstance(keyword.value, ast.Constant) or not isinstance(keyword.value.value, str | None):
                return None
            options[keyword.arg] = keyword.value.value
    return options
