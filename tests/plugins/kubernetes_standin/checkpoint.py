"""What the engine records of an object: its live state, with the inputs and who manages its fields beside it."""

from __future__ import annotations

from copy import deepcopy

from .values import Object, Secret, mark_secrets, plain, properties_of

_INPUTS = "__inputs"
_API_VERSION = "__initialApiVersion"
_MANAGER = "__fieldManager"
_OURS = (_INPUTS, _API_VERSION, _MANAGER)


def checkpoint(inputs: Object, live: Object, given: Object, api_version: str, manager: str) -> Object:
    """Return the outputs to record.

    Args:
        inputs: as they were sent to the API server.
        live: as the API server has the object.
        given: the inputs as the engine sent them, which say what is secret.
        api_version: the one the object was created with.
        manager: the field manager that its updates are applied as.
    """
    outputs: Object = properties_of(deepcopy(live))
    recorded: Object = properties_of(deepcopy(inputs))
    mark_secrets(outputs, given)
    mark_secrets(recorded, given)
    return {**outputs, _INPUTS: recorded, _API_VERSION: api_version, _MANAGER: manager}


def recorded(state: Object) -> tuple[Object, Object]:
    """Return the inputs and the live state of what was recorded, secrets revealed."""
    held = state.get(_INPUTS)
    inputs = held.value if isinstance(held, Secret) else held
    live = {name: value for name, value in state.items() if name not in _OURS}
    return plain(inputs) if isinstance(inputs, dict) else {}, plain(live)


def recorded_manager(state: Object) -> str:
    """Return the recorded field manager, or nothing."""
    manager = plain(state.get(_MANAGER))
    return manager if isinstance(manager, str) else ""


def recorded_api_version(state: Object, inputs: Object) -> str:
    """Return the API version that the object was created with."""
    version = plain(state.get(_API_VERSION))
    return version if isinstance(version, str) else str(inputs.get("apiVersion") or "")
