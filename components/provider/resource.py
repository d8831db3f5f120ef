"""What a resource of this provider is: the few operations that the Pulumi engine asks for, in plain Python.

A resource never sees the engine's protocol. Its inputs and outputs are plain values (`str`, `int`, `float`,
`bool`, `None`, `list`, `dict`); `components.provider.values` converts them, keeps secret what came in as a
secret, and marks what a preview cannot know yet with `UNKNOWN`. Adding a resource is one module in
`components/provider/resources/`, one line in `components/provider/registry.py` and one test.

The operations follow the resource provider protocol,
https://github.com/pulumi/pulumi/blob/master/proto/pulumi/provider.proto.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, ClassVar, Protocol

from components.provider.shape import Properties
from components.provider.unknown import UNKNOWN, Unknown

__all__ = [
    "UNKNOWN",
    "Cancelled",
    "Change",
    "Context",
    "Edit",
    "Failure",
    "Found",
    "PartialFailure",
    "Resource",
    "ResourceFailure",
    "Unknown",
    "Values",
]

Values = dict[str, Any]
"""Inputs or outputs by property name. In check, diff and preview a value may be, or contain, `UNKNOWN`."""


@dataclass(frozen=True, slots=True)
class Failure:
    """An input that cannot be right.

    Attributes:
        path: property path in Pulumi's notation, such as `flags["new-checkout"].state`.
        reason: what was found and what would be right.
    """

    path: str
    reason: str


class Edit(Enum):
    """How a property differs."""

    ADD = "add"
    DELETE = "delete"
    UPDATE = "update"


@dataclass(frozen=True, slots=True)
class Change:
    """What an update would do.

    Attributes:
        changed: how each property path differs; empty means that nothing is to be done.
        replaced: names of properties whose change cannot be made in place.
        delete_before_replace: the old resource has to make room first.
    """

    changed: Mapping[str, Edit] = field(default_factory=dict)
    replaced: tuple[str, ...] = ()
    delete_before_replace: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """What `read` found.

    Attributes:
        outputs: the state of the world now.
        inputs: the inputs that would lead to it; None keeps the recorded ones (a refresh), and is not enough
            for an import, which has none.
    """

    outputs: Values
    inputs: Values | None = None


@dataclass(frozen=True, slots=True)
class Context:
    """What an operation may need beside the inputs.

    Attributes:
        urn: the resource's name in the engine.
        timeout: seconds the user allows (custom timeouts), or 0 where nothing was said.
        cancelled: set once the engine wants to stop. Whatever waits, waits on this.
    """

    urn: str = ""
    timeout: float = 0.0
    cancelled: threading.Event = field(default_factory=threading.Event)


class ResourceFailure(Exception):
    """An operation failed and nothing was left behind; `str()` is the sentence for the user."""


class Cancelled(ResourceFailure):
    """The engine asked to stop while the operation was waiting."""


class PartialFailure(ResourceFailure):
    """An operation failed after it had changed the world.

    The engine records `outputs`, and the next update of the resource goes on from there. Without it the
    record would show the state before, and going back to that state would wrongly change nothing.

    Attributes:
        outputs: what is there now.
        id: the resource's identity; of a create, which the engine does not know yet.
    """

    def __init__(self, message: str, *, outputs: Values, id: str = "") -> None:  # noqa: A002 - Pulumi's word
        super().__init__(message)
        self.outputs = outputs
        self.id = id


class Resource(Protocol):
    """One kind of resource. Instances hold no state: the engine's record and the world do.

    Operations run in threads of their own, several at once. All of them may be repeated: a `create` has to
    find what its own earlier, killed try left, and a `delete` may find nothing.

    Attributes:
        description: for the schema, Markdown.
        inputs: the input properties. The provider checks types and required values from them, and by default
            an input marked `replaces` forces a replacement when it changes.
        outputs: further output properties. All inputs are outputs as well. An output is secret, and in a
            preview unknown, where one of the inputs in its `derived` is.
    """

    description: ClassVar[str]
    inputs: ClassVar[Properties]
    outputs: ClassVar[Properties]

    def check(self, inputs: Values, old: Values | None) -> list[Failure]:
        """Look for mistakes that types do not show. It must not change anything.

        Args:
            inputs: inputs of the right types with defaults filled in; parts may be `UNKNOWN`.
            old: the inputs of the last update, or None for a new resource. An input that has not changed was
                right before, and what it names may be gone by now: check only what is new against the world.
        """

    def diff(self, old: Values, new: Values) -> Change:
        """Compare the recorded outputs with new inputs; `components.provider.diff.compare` does it for most."""

    def preview(self, inputs: Values, old: Values | None) -> Values:
        """The outputs that create (`old` is None) or update would have, `UNKNOWN` where they cannot be known.

        It must not change anything.
        """

    def create(self, inputs: Values, context: Context) -> tuple[str, Values]:
        """Make the resource and return its id and its outputs.

        Raises:
            ResourceFailure: it could not be made, and nothing is left.
            PartialFailure: something is there, but not as it should be.
        """

    def read(self, id: str, outputs: Values, inputs: Values) -> Found | None:  # noqa: A002 - Pulumi's word
        """Look at the world. None means that the resource is gone."""

    def update(self, id: str, old: Values, new: Values, context: Context) -> Values:  # noqa: A002
        """Change the resource in place and return its outputs.

        Args:
            id: its identity.
            old: the recorded outputs.
            new: the new inputs.
            context: time limit and cancellation.

        Raises:
            ResourceFailure: nothing has been changed.
            PartialFailure: something has.
        """

    def delete(self, id: str, outputs: Values, context: Context) -> None:  # noqa: A002
        """Remove the resource; nothing to remove is no error."""
