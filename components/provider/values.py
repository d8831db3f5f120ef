"""Plain values on one side, the engine's property values on the other; secrets stay secret on the way.

The engine sends an unknown value as a certain string (`pulumi.runtime.rpc.UNKNOWN`) and a secret as a marked
map, which `PropertyValue` has unpacked. A resource works with plain values; what it returns is dressed again:
an output that echoes an input is secret where that input was, and an output made from a secret input is
secret as a whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import unquote, urlsplit

from pulumi.provider.experimental.property_value import PropertyValue
from pulumi.runtime.rpc import UNKNOWN as UNKNOWN_SIGN

from components.provider.resource import Values
from components.provider.shape import Properties
from components.provider.unknown import UNKNOWN, Unknown, has_unknown

Marked = Mapping[str, PropertyValue]
"""Property values by name, as the engine sends them."""

_SHORTEST_SECRET = 3
"""Shorter secrets are not looked for in messages: replacing every `1` would hide everything but them."""


class Unplain(TypeError):
    """A value is an asset, an archive or a resource, which no resource here takes.

    Attributes:
        name: of the property that holds it.
    """

    def __init__(self, kind: str) -> None:
        super().__init__(f"is or holds a {kind}, which no resource here takes; pass a path as a string")
        self.name = ""


def plain(value: PropertyValue) -> Any:  # noqa: ANN401 - any property value
    """`value` without marks; unknown parts become `UNKNOWN`.

    Raises:
        Unplain: it is an asset, an archive or a resource.
    """
    content = value.value
    if isinstance(content, str):
        return UNKNOWN if content == UNKNOWN_SIGN else content
    if content is None or isinstance(content, bool | float):
        return content
    if isinstance(content, Mapping):
        return {key: plain(item) for key, item in content.items()}
    if isinstance(content, tuple):
        return [plain(item) for item in content]
    raise Unplain(type(content).__name__)


def plain_all(values: Marked) -> Values:
    """`plain` of each of them.

    Raises:
        Unplain: one of them is no plain value; the error has its name.
    """
    result = {}
    for name, value in values.items():
        try:
            result[name] = plain(value)
        except Unplain as error:
            error.name = name
            raise
    return result


def marked(value: Any) -> PropertyValue:  # noqa: ANN401 - any property value
    """The property value of a plain value."""
    match value:
        case Unknown():
            return PropertyValue(UNKNOWN_SIGN)
        case bool() | str() | float() | None:
            return PropertyValue(value)
        case int():
            return PropertyValue(float(value))
        case Mapping():
            return PropertyValue({str(key): marked(item) for key, item in value.items()})
        case Sequence():
            return PropertyValue([marked(item) for item in value])
        case _:
            message = f"{type(value).__name__} is no property value"
            raise TypeError(message)


def like(value: Any, pattern: PropertyValue | None) -> PropertyValue:  # noqa: ANN401 - any property value
    """The property value of `value`, secret where `pattern` is.

    Where the two do not have the same form, a secret inside `pattern` makes all of `value` secret: hiding too
    much is a nuisance, showing too much is a leak.
    """
    if pattern is None or not pattern.contains_secret():
        return marked(value)
    inside = pattern.value
    if pattern.is_secret:
        return marked(value).with_secret(True)
    if isinstance(value, Mapping) and isinstance(inside, Mapping) and set(inside) <= set(value):
        return PropertyValue({key: like(item, inside.get(key)) for key, item in value.items()})
    if (
        isinstance(value, list)
        and isinstance(inside, Sequence)
        and not isinstance(inside, str)
        and len(inside) == len(value)
    ):
        return PropertyValue([like(item, form) for item, form in zip(value, inside, strict=True)])
    return marked(value).with_secret(True)


def dressed(values: Values, inputs: Marked, outputs: Properties) -> dict[str, PropertyValue]:
    """A resource's outputs for the engine.

    Args:
        values: the outputs, inputs echoed among them.
        inputs: what the engine sent, with its marks.
        outputs: the declared outputs, which say what each is derived from.
    """
    result: dict[str, PropertyValue] = {}
    for name, value in values.items():
        derived = outputs[name].derived if name in outputs else ()
        sources = [inputs[source] for source in derived if source in inputs]
        if any(has_unknown(plain(source)) for source in sources):
            value = UNKNOWN  # noqa: PLW2901 - what follows is the same for both
        dress = like(value, inputs.get(name))
        result[name] = dress.with_secret(True) if any(s.contains_secret() for s in sources) else dress
    return result


def exposes(old: PropertyValue | None, new: PropertyValue | None) -> bool:
    """Whether something is secret in `new` that is recorded in plain text in `old`."""
    if new is None or old is None or not new.contains_secret() or old.is_secret:
        return False
    if new.is_secret:
        return True
    before, after = old.value, new.value
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        return any(exposes(before.get(key), item) for key, item in after.items())
    if isinstance(before, Sequence) and isinstance(after, Sequence):
        return any(
            exposes(one, other)
            for one, other in zip(before, after, strict=False)
            if isinstance(one, PropertyValue) and isinstance(other, PropertyValue)
        )
    return False


def scrubbed(text: str, *values: Marked) -> str:
    """`text` without the secrets among `values`, for messages: nobody else would hide them there."""
    secrets = {secret for group in values for value in group.values() for secret in _secrets(value, hidden=False)}
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, "[secret]")
    return text


def _secrets(value: PropertyValue, *, hidden: bool) -> Iterator[str]:
    hidden = hidden or value.is_secret
    content = value.value
    if isinstance(content, str):
        if hidden and len(content) >= _SHORTEST_SECRET and content != UNKNOWN_SIGN:
            yield content
            yield from _password(content)
    elif isinstance(content, Mapping):
        for item in content.values():
            yield from _secrets(item, hidden=hidden)
    elif isinstance(content, tuple):
        for item in content:
            yield from _secrets(item, hidden=hidden)


def _password(text: str) -> Iterator[str]:
    """The password in a URL: a driver's message may show it without the rest."""
    try:
        password = urlsplit(text).password
    except ValueError:
        return
    if password is not None and len(password) >= _SHORTEST_SECRET:
        yield password
        yield unquote(password)
