"""Property values: what travels between the engine and a plugin, as plain Python.

Numbers without a fraction become integers, since Kubernetes tells 80 from 80.0. Secrets and values that are not known
yet are marked with the signatures of
https://github.com/pulumi/pulumi/blob/master/sdk/go/common/resource/plugin/rpc.go.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from google.protobuf.struct_pb2 import Struct, Value  # type: ignore[import-untyped]

_SIGNATURE = "4dabf18193072939515e22adb298388d"
_SECRET = "1b47061264138c4ac30d75fd1eb44270"
_UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
_UNKNOWNS = frozenset(
    {
        _UNKNOWN,
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
        "030794c1-ac77-496b-92df-f27374a8bd58",
        "e48ece36-62e2-4504-bad9-02848725956a",
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
        "9ddfdd10-c3e2-4128-b2b0-1b9ff3c3f0c0",
    }
)

# The words that CustomResourceDefinitions have with dashes have underscores in Pulumi's SDKs.
_TO_DASHES = {
    name.replace("-", "_"): name
    for name in (
        "x-kubernetes-embedded-resource",
        "x-kubernetes-int-or-string",
        "x-kubernetes-list-map-keys",
        "x-kubernetes-list-type",
        "x-kubernetes-map-type",
        "x-kubernetes-preserve-unknown-fields",
        "x-kubernetes-validations",
    )
}
_TO_UNDERSCORES = {dashed: underscored for underscored, dashed in _TO_DASHES.items()}

Object = dict[str, Any]


class Unknown:
    """A value that is known only after something else was created."""

    def __repr__(self) -> str:
        """Show what it is."""
        return "UNKNOWN"

    def __deepcopy__(self, memo: object) -> Unknown:
        """There is one."""
        return self


UNKNOWN: Final = Unknown()


@dataclass(frozen=True)
class Secret:
    """A value that the engine encrypts and shows to nobody."""

    value: Any


def read(struct: Struct) -> Object:
    """Return the properties that a message holds, marks and all."""
    return {name: _read(value) for name, value in struct.fields.items()}


def _read(value: Value) -> Any:  # noqa: ANN401
    kind = value.WhichOneof("kind")
    if kind == "string_value":
        return UNKNOWN if value.string_value in _UNKNOWNS else value.string_value
    if kind == "number_value":
        number = value.number_value
        return int(number) if number.is_integer() else number
    if kind == "bool_value":
        return value.bool_value
    if kind == "struct_value":
        properties = read(value.struct_value)
        return Secret(properties.get("value")) if properties.get(_SIGNATURE) == _SECRET else properties
    if kind == "list_value":
        return [_read(item) for item in value.list_value.values]
    return None


def write(properties: Mapping[str, Any], struct: Struct) -> Struct:
    """Put properties into a message and return it."""
    for name, value in properties.items():
        _write(value, struct.fields[name])
    return struct


def _write(value: Any, into: Value) -> None:  # noqa: ANN401
    match value:
        case None:
            into.null_value = 0
        case bool():
            into.bool_value = value
        case int() | float():
            into.number_value = value
        case str():
            into.string_value = value
        case Secret():
            write({_SIGNATURE: _SECRET, "value": value.value}, into.struct_value)
        case Mapping():
            into.struct_value.SetInParent()
            write(value, into.struct_value)
        case Unknown():
            into.string_value = _UNKNOWN
        case _:
            into.list_value.SetInParent()
            for item in value:
                _write(item, into.list_value.values.add())


def plain(value: Any) -> Any:  # noqa: ANN401
    """Return a copy as Kubernetes names things, with secrets revealed; what is unknown stays so."""
    if isinstance(value, Secret):
        return plain(value.value)
    if isinstance(value, dict):
        return {_TO_DASHES.get(name, name): plain(item) for name, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value


def properties_of(value: Any) -> Any:  # noqa: ANN401
    """Return a copy as Pulumi's SDKs name things."""
    if isinstance(value, dict):
        return {_TO_UNDERSCORES.get(name, name): properties_of(item) for name, item in value.items()}
    if isinstance(value, list):
        return [properties_of(item) for item in value]
    return value


def _leaves(value: Any) -> Iterator[Any]:  # noqa: ANN401
    if isinstance(value, Secret):
        yield value
        yield from _leaves(value.value)
    elif isinstance(value, dict):
        for item in value.values():
            yield from _leaves(item)
    elif isinstance(value, list):
        for item in value:
            yield from _leaves(item)
    else:
        yield value


def has_unknown(value: Any) -> bool:  # noqa: ANN401
    """Whether something in it is not known yet."""
    return any(leaf is UNKNOWN for leaf in _leaves(value))


def has_secret(value: Any) -> bool:  # noqa: ANN401
    """Whether something in it is secret."""
    return any(isinstance(leaf, Secret) for leaf in _leaves(value))


def mark_secrets(outputs: Object, inputs: Object) -> None:
    """Make secret in the outputs what is secret in the inputs, in place; the data of a Secret always is.

    A list with a secret anywhere in it becomes secret as a whole, since the API server may reorder it.
    """
    if outputs.get("kind") == "Secret":
        for name in ("data", "stringData"):
            if name in outputs and not isinstance(outputs[name], Secret):
                outputs[name] = Secret(outputs[name])
        return
    for name, given in inputs.items():
        if name not in outputs:
            continue
        out = outputs[name]
        if isinstance(out, dict) and isinstance(given, dict):
            mark_secrets(out, given)
        elif not isinstance(out, Secret) and has_secret(given):
            outputs[name] = Secret(out)
