"""What a model's fields mean: the docstrings below them.

Pydantic can read them while it makes a model (`use_attribute_docstrings`), which costs every process a quarter of a
second; only somebody who reads about a key needs them.
"""

from __future__ import annotations

import ast
import functools
import inspect
import textwrap
from itertools import pairwise

from pydantic import BaseModel
from pydantic.fields import FieldInfo


def meaning(model: type[BaseModel], name: str, field: FieldInfo) -> str | None:
    """Return what is said of a field where it is defined; what the field says itself goes first."""
    home = next((each for each in model.__mro__ if name in inspect.get_annotations(each)), model)
    return field.description or _below(home).get(name)


@functools.cache
def _below(model: type) -> dict[str, str]:
    """Return the docstrings below the attributes that a class defines itself."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(model)))
    except (OSError, TypeError):  # made at run time, or built in
        return {}
    definition = tree.body[0]
    body = definition.body if isinstance(definition, ast.ClassDef) else []
    return {
        attribute.target.id: inspect.cleandoc(text.value.value)
        for attribute, text in pairwise(body)
        if isinstance(attribute, ast.AnnAssign)
        and isinstance(attribute.target, ast.Name)
        and isinstance(text, ast.Expr)
        and isinstance(text.value, ast.Constant)
        and isinstance(text.value.value, str)
    }
