"""Synthetic transactions as a team writes them: a YAML list of requests and what should come back."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, Field, TypeAdapter, ValidationError, model_validator

from phases.durations import Duration
from phases.model import BY_HAND, Settings
from phases.statuses import Statuses
from phases.yaml_lines import line_of

PLACEHOLDER = re.compile(r"\{\{\s*([A-Za-z_]\w*)\s*\}\}")
"""`{{ name }}`: a value saved from an earlier answer of the same run, or `run`, the number of the run."""
BUILT_IN = frozenset({"run"})


class TransactionsError(ValueError):
    """The file with the transactions is not right.

    Attributes:
        path: the file.
        line: 1-based; 0 where the trouble is the file as a whole.
    """

    def __init__(self, path: Path, line: int, message: str) -> None:
        super().__init__(f"{path}:{line}: {message}" if line else f"{path}: {message}")
        self.path = path
        self.line = line


def _jmespath(expression: str) -> str:
    import jmespath
    from jmespath.exceptions import JMESPathError

    try:
        jmespath.compile(expression)
    except JMESPathError as error:
        first = str(error).splitlines()[0]
        raise ValueError(f"{expression!r} is no JMESPath expression: {first}") from error
    return expression


JmesPath = Annotated[str, AfterValidator(_jmespath)]


class Expectation(Settings):
    """What the answer should be."""

    status: Statuses = (200,)
    """The status, or the statuses, that are right."""
    json_: Mapping[JmesPath, Any] = Field(default_factory=dict, alias="json")
    """Values in the JSON body, by JMESPath (https://jmespath.org)."""
    headers: Mapping[str, str] = Field(default_factory=dict)
    """Headers and their values."""
    contains: str | None = None
    """Text that is somewhere in the body."""
    latency_ms: float | None = Field(default=None, gt=0)
    """Milliseconds that the answer may take."""


class Transaction(Settings):
    """One request and what should come back."""

    name: str = Field(min_length=1)
    """Its name in results."""
    method: str = Field(default="GET", pattern=r"^[A-Z]+$")
    """HTTP method."""
    path: str = Field(pattern=r"^/")
    """Path and query at the new version."""
    headers: Mapping[str, str] = Field(default_factory=dict)
    """Headers of the request."""
    json_: Any = Field(default=None, alias="json")
    """Body, sent as JSON."""
    body: str | None = None
    """Body, sent as it is."""
    timeout: Duration = Field(default=5.0, gt=0)
    """Limit from the connection to the last byte."""
    expect: Expectation = Expectation()
    """What should come back."""
    save: Mapping[str, JmesPath] = Field(default_factory=dict)
    """Values of the JSON answer for later requests of the same run: `save: {token: auth.token}`, then `{{ token }}`."""

    @model_validator(mode="after")
    def _one_body(self) -> Transaction:
        if self.json_ is not None and self.body is not None:
            raise ValueError("`json` and `body` are both given; a request has one body")
        for name in self.save:
            if not name.isidentifier() or name in BUILT_IN:
                raise ValueError(f"save: {name!r} cannot be a name here; use letters, digits and _ (and not `run`)")
        return self

    def needs(self) -> frozenset[str]:
        """Return the names of the saved values that the request uses."""
        return frozenset(_names([self.path, dict(self.headers), self.json_, self.body])) - BUILT_IN


TRANSACTIONS: TypeAdapter[tuple[Transaction, ...]] = TypeAdapter(tuple[Transaction, ...])
"""What a file holds."""


def load(path: Path) -> tuple[Transaction, ...]:
    """Return the transactions of a file.

    Raises:
        TransactionsError: it cannot be read, is no YAML, is empty, has a wrong key or value, or uses a value that no
            earlier transaction saves; the message names file and line, and what would be right.
    """
    import yaml

    try:
        text = path.read_text(encoding="utf-8")
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        values = yaml.safe_load(text)
    except OSError as error:
        raise TransactionsError(path, 0, f"cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise TransactionsError(path, 0, "is no UTF-8 text") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        message = getattr(error, "problem", None) or str(error)
        raise TransactionsError(path, mark.line + 1 if mark else 0, f"is no YAML: {message}") from error
    if not isinstance(values, list) or not values:
        raise TransactionsError(path, 1, "should be a list of transactions, each with `name` and `path`")
    try:
        transactions = TRANSACTIONS.validate_python(values, context=BY_HAND)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise TransactionsError(path, line_of(node, first["loc"]), _message(first, values)) from error
    _check_saved(path, node, transactions)
    return transactions


def _message(error: Any, values: list[Any]) -> str:  # noqa: ANN401 - pydantic's ErrorDetails
    index, *keys = error["loc"]
    named = values[index].get("name") if isinstance(values[index], dict) else None
    where = ".".join(str(key) for key in keys if key != "[key]")
    at = (f"transaction {named!r}" if named else f"transaction {index + 1}") + (f", {where}" if where else "")
    if error["type"] == "extra_forbidden":
        return f"{at}: there is no such key"
    if error["type"] == "missing":
        return f"{at}: is missing"
    message = str(error["msg"]).removeprefix("Value error, ")
    found = error.get("input")
    return f"{at}: {message}" if isinstance(found, dict | list) else f"{at}: {message} (found {found!r})"


def _check_saved(path: Path, node: Any, transactions: tuple[Transaction, ...]) -> None:  # noqa: ANN401
    saved: set[str] = set()
    names: set[str] = set()
    for index, transaction in enumerate(transactions):
        if transaction.name in names:
            raise TransactionsError(path, line_of(node, (index, "name")), f"two are called {transaction.name!r}")
        if missing := sorted(transaction.needs() - saved):
            known = f"saved before it are {', '.join(sorted(saved))}" if saved else "none is saved before it"
            raise TransactionsError(
                path,
                line_of(node, (index,)),
                f"{transaction.name!r} uses {{{{ {missing[0]} }}}}, which no earlier transaction saves; {known}",
            )
        names.add(transaction.name)
        saved.update(transaction.save)


def _names(value: Any) -> Iterator[str]:  # noqa: ANN401
    if isinstance(value, str):
        yield from PLACEHOLDER.findall(value)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _names(key)
            yield from _names(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _names(item)


def fill(value: Any, values: Mapping[str, Any]) -> Any:  # noqa: ANN401
    """Return `value` with its placeholders replaced; one that stands alone keeps the type of what was saved."""
    if isinstance(value, str):
        whole = PLACEHOLDER.fullmatch(value)
        if whole:
            return values[whole[1]]
        return PLACEHOLDER.sub(lambda match: str(values[match[1]]), value)
    if isinstance(value, Mapping):
        return {fill(key, values): fill(item, values) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [fill(item, values) for item in value]
    return value
