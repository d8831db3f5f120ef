"""How operations end that do not end well."""

from __future__ import annotations

from .values import Object


class Failed(Exception):
    """The operation failed, and the resource is as it was recorded."""


class Partial(Exception):
    """The object is there and is recorded, but something is wrong with it.

    Attributes:
        resource_id: of the resource.
        outputs: to record.
        inputs: to record; None for those the engine has.
        reasons: what is wrong, the message first.
    """

    def __init__(self, resource_id: str, outputs: Object, reasons: list[str], inputs: Object | None = None) -> None:
        super().__init__(reasons[0])
        self.resource_id = resource_id
        self.outputs = outputs
        self.inputs = inputs
        self.reasons = reasons


class NotReady(Exception):
    """An object did not become, or is not, ready.

    Attributes:
        live: its last known state.
        details: what is known about why.
    """

    def __init__(self, message: str, live: Object, details: list[str] | None = None) -> None:
        super().__init__(message)
        self.live = live
        self.details = details or []
