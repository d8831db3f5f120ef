"""The parachute: what a stack was before the running launch, as one string.

The ledger keeps one for each stack, in its secret output, recorded before anything is changed (docs/decisions/0001).
The string is base64 of gzip of JSON; the ledger's secrets provider encrypts it, on any backend.
"""

from __future__ import annotations

import base64
import binascii
import gzip
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from stacks.checkpoint import Checkpoint, CheckpointUnreadable
from stacks.replay_values import plain

KEY: Final = "parachute"
"""The stack output that holds it."""


@dataclass(frozen=True, slots=True)
class Parachute:
    """Where a launch can go back to.

    Attributes:
        launch: id of the launch that may need it.
        checkpoint: the state before that launch; None where there was nothing: its first launch.
    """

    launch: str
    checkpoint: Checkpoint | None = field(default=None)

    @property
    def target(self) -> Checkpoint:
        """What to replay; for a first launch the empty checkpoint."""
        return self.checkpoint or Checkpoint()


def encode(parachute: Parachute) -> str:
    """The parachute as one string. It holds every secret in plain text: only ever pass it on as a secret."""
    before = parachute.checkpoint
    document = {"launch": parachute.launch, "checkpoint": _packed(before).to_json() if before else None}
    # mtime=0: the same parachute is the same string, so an update that only repeats it changes nothing.
    packed = gzip.compress(json.dumps(document, separators=(",", ":")).encode(), mtime=0)
    return base64.b64encode(packed).decode("ascii")


def decode(text: str) -> Parachute:
    """The inverse of `encode`.

    Raises:
        CheckpointUnreadable: the string is damaged or of a newer version.
    """
    try:
        document = json.loads(gzip.decompress(base64.b64decode(text, validate=True)))
        launch, checkpoint = document["launch"], document["checkpoint"]
    except (binascii.Error, OSError, EOFError, zlib.error, KeyError, TypeError, ValueError) as error:
        # The content may hold secrets: only the kind of error is told.
        raise CheckpointUnreadable(
            f"The parachute in the stack's outputs cannot be read ({type(error).__name__}). "
            "The stack can still be rolled back to an earlier launch by running that launch again."
        ) from None
    return Parachute(str(launch), None if checkpoint is None else Checkpoint.from_json(checkpoint))


def attach(parachute: Parachute) -> dict[str, Any]:
    """The stack output that carries the parachute, for `pulumi.export` or `replay.program(outputs=...)`.

    Call it inside a program: it makes a Pulumi output.
    """
    import pulumi

    return {KEY: pulumi.Output.secret(encode(parachute))}


def read(outputs: Mapping[str, Any]) -> Parachute | None:
    """The parachute among a checkpoint's stack outputs; None where there is none.

    Raises:
        CheckpointUnreadable: it is damaged.
    """
    found = plain(outputs.get(KEY))
    return decode(found) if isinstance(found, str) else None


def _packed(checkpoint: Checkpoint) -> Checkpoint:
    """The checkpoint without the parachute of the launch before: they would nest for ever."""
    return Checkpoint(
        tuple(
            replace(resource, outputs={key: value for key, value in resource.outputs.items() if key != KEY})
            if resource.is_stack
            else resource
            for resource in checkpoint.resources
        ),
        checkpoint.pending,
    )
