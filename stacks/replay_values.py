"""Property values as Pulumi's engine and its state carry them.

A secret, an asset, an archive or a reference to a resource is a map that holds one of the engine's signatures under
`SIG_KEY` (`sdk/go/common/resource/sig/sig.go` of pulumi/pulumi). The state writes a secret as `plaintext` that holds
JSON; the protocol between a program and the engine writes it as `value`. Everything here works on the second form.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any, Final

SIG_KEY: Final = "4dabf18193072939515e22adb298388d"
UNKNOWN: Final = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""What stands for a value that is not known yet."""
SCALARS: Final = frozenset({str, int, float, bool, type(None)})
"""Types of most values, none of which is special; to ask whether a value is a `Mapping` takes ten times as long."""

Path = tuple[str | int, ...]
"""Where a value stands within another: keys of maps and indexes of lists."""


class Signature(StrEnum):
    """What a map with `SIG_KEY` is."""

    SECRET = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 - a public constant
    ASSET = "c44067f5952c0a294b673a41bacd8c17"
    ARCHIVE = "0def7320c3a5731c473e5ecbe6d01bc7"
    RESOURCE = "5cf8f73096256a8f31e491e813e4eb8e"
    OUTPUT = "d0e6a833031e9bbcd3f4e8bde6ca49a4"
    BYTES = "803fd3297a5875dc03ca845dda5d2a98"
    FLOAT = "8ad145fe-0d11-4827-bfd7-1abcbf086f5c"


def signature(value: object) -> str | None:
    """The signature of a special map; None for anything else."""
    if type(value) in SCALARS:
        return None
    found = value.get(SIG_KEY) if isinstance(value, Mapping) else None
    return found if isinstance(found, str) else None


def secret(value: Any) -> Any:  # noqa: ANN401 - any property value
    """The value as a secret; a secret stays what it is."""
    return value if signature(value) == Signature.SECRET else {SIG_KEY: Signature.SECRET.value, "value": value}


def is_secret(value: Any) -> bool:  # noqa: ANN401
    """True for a value that is a secret as a whole."""
    return signature(value) == Signature.SECRET


def reveal(value: Any) -> Any:  # noqa: ANN401
    """The value below an outermost secret; any other value as it is."""
    return value["value"] if is_secret(value) else value


def plain(value: Any) -> Any:  # noqa: ANN401
    """The value with every secret in it revealed, for comparisons and for callers who asked for it."""
    if type(value) in SCALARS:
        return value
    value = reveal(value)
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value


def holds_secret(value: Any) -> bool:  # noqa: ANN401
    """True where the value is a secret or has one in it."""
    return any(is_secret(item) for _path, item in walk(value))


def is_unknown(value: Any) -> bool:  # noqa: ANN401
    """True for a value that a preview does not know yet."""
    return value is UNKNOWN or (isinstance(value, str) and value == UNKNOWN)


def walk(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:  # noqa: ANN401
    """The value and everything in it, each with its path.

    A secret adds nothing to the path: `("password",)` leads to a secret and, next, to what it hides. Assets,
    archives and references are whole values.
    """
    yield path, value
    kind = signature(value)
    if kind == Signature.SECRET:
        yield from walk(value["value"], path)
    elif isinstance(value, Mapping) and kind is None:
        for key, item in value.items():
            yield from walk(item, (*path, key))
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from walk(item, (*path, index))


def from_state(value: Any) -> Any:  # noqa: ANN401
    """The protocol's form of a value from an exported state.

    Raises:
        ValueError: a secret is encrypted: the state was exported without its secrets shown.
    """
    kind = signature(value)
    if kind == Signature.SECRET:
        if "plaintext" not in value:
            msg = "a secret is encrypted"
            raise ValueError(msg)
        return secret(from_state(json.loads(value["plaintext"])))
    if kind == Signature.FLOAT:
        # Not-a-number and the infinities: their IEEE 754 bits in hexadecimal.
        return struct.unpack(">d", bytes.fromhex(value["value"]))[0]
    if isinstance(value, Mapping):
        return {key: from_state(item) for key, item in value.items()}
    if isinstance(value, list):
        return [from_state(item) for item in value]
    return value
