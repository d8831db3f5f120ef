"""The state of a stack as Pulumi recorded it, as frozen values.

`Stack.export_stack()` answers with an untyped deployment in which secrets stand in plain text. This module turns it
into a `Checkpoint`. Values keep the form in which the engine's own protocol carries them (secrets, assets, archives
and resource references are maps with a signature), so that they can be handed back to the engine as they are. No
`repr()` shows a value: a checkpoint holds every secret of its stack.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Any, Final, Self

from phases.errors import EngineError
from stacks.recorded import PROVIDER_PREFIX, STACK_TYPE, Resource, compact, from_export, restored

__all__ = ["PROVIDER_PREFIX", "STACK_TYPE", "Checkpoint", "CheckpointUnreadable", "PendingOperation", "Resource"]

FORMAT: Final = 1
"""The version of the JSON that `Checkpoint.to_json` writes."""

_EMPTY: Final[Mapping[str, Any]] = MappingProxyType({})


class CheckpointUnreadable(EngineError):
    """A deployment or a stored checkpoint is not in a form that can be replayed."""


@dataclass(frozen=True, slots=True)
class PendingOperation:
    """An operation that the engine had begun and not finished when the state was written."""

    urn: str
    type: str


@dataclass(frozen=True)
class Checkpoint:
    """The resources of a stack in the order of their recording: dependencies come before dependents."""

    resources: tuple[Resource, ...] = ()
    pending: tuple[PendingOperation, ...] = ()

    @cached_property
    def by_urn(self) -> Mapping[str, Resource]:
        """The resources that are there: without those that only wait for their deletion."""
        return {resource.urn: resource for resource in self.resources if not resource.deleting}

    @property
    def live(self) -> tuple[Resource, ...]:
        """The resources that are there, in order."""
        return tuple(resource for resource in self.resources if not resource.deleting)

    @property
    def interrupted(self) -> bool:
        """Whether a change was begun and its end is not recorded.

        A create is not counted: the record holds nothing of what it made, the next create finds what it left, and the
        engine goes on mentioning it after any number of good updates, until somebody refreshes the stack.
        """
        return any(operation.type != "creating" for operation in self.pending)

    @property
    def root(self) -> Resource | None:
        """The stack's own resource; None where there was never an update."""
        return next((resource for resource in self.live if resource.is_stack), None)

    @property
    def outputs(self) -> Mapping[str, Any]:
        """The stack outputs; secrets are maps with a signature, see `replay_values.plain`."""
        return self.root.outputs if self.root else _EMPTY

    @property
    def empty(self) -> bool:
        """True where the stack holds nothing but, at most, itself and providers."""
        return all(resource.is_stack or resource.is_provider for resource in self.live)

    @classmethod
    def from_deployment(cls, deployment: Mapping[str, Any]) -> Self:
        """Reads what `Stack.export_stack()` answers.

        Args:
            deployment: the `deployment` member of the export (format 3, as all current CLIs write it), or an empty
                mapping for a stack that was never updated.

        Raises:
            CheckpointUnreadable: the export is not complete or its secrets are encrypted.
        """
        try:
            return cls(
                resources=tuple(from_export(raw) for raw in deployment.get("resources") or ()),
                pending=tuple(
                    PendingOperation(urn=raw["resource"]["urn"], type=str(raw["type"]))
                    for raw in deployment.get("pending_operations") or ()
                ),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise CheckpointUnreadable(
                f"The exported state cannot be read: {error}. It must be a deployment of format 3 with its secrets "
                "shown; export it with the CLI this project pins (`launch doctor` names it)."
            ) from None

    def to_json(self) -> str:
        """Everything as JSON, secrets in plain text: keep it in memory, or encrypt it."""
        return json.dumps(
            {
                "format": FORMAT,
                "resources": [compact(resource) for resource in self.resources],
                "pending": [[operation.urn, operation.type] for operation in self.pending],
            },
            separators=(",", ":"),
        )

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The inverse of `to_json`.

        Raises:
            CheckpointUnreadable: the text is not a checkpoint, or of a newer format.
        """
        try:
            raw = json.loads(text)
            if raw["format"] != FORMAT:
                raise CheckpointUnreadable(
                    f"The stored checkpoint has format {raw['format']!r}, this version reads {FORMAT}: use the version "
                    "of launch that wrote it."
                )
            return cls(
                resources=tuple(restored(item) for item in raw["resources"]),
                pending=tuple(PendingOperation(urn, kind) for urn, kind in raw["pending"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            # The offending text may hold secrets: only the kind of error is told.
            raise CheckpointUnreadable(f"The stored checkpoint cannot be read ({type(error).__name__}).") from None
