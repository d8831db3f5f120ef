"""Inputs in the form in which the API server returns them, so that what means the same shows no difference.

The real plugin sends built-in objects through Go's types and back; this does what of that is seen: quantities in
canonical form, a Secret's `stringData` merged into `data`, and empty fields that Go leaves out.
"""

from __future__ import annotations

import base64
import binascii
from decimal import Decimal, InvalidOperation
from typing import Any

from . import objects
from .values import Object, has_unknown

_READ_ONLY = (
    "creationTimestamp",
    "deletionGracePeriodSeconds",
    "deletionTimestamp",
    "generation",
    "managedFields",
    "resourceVersion",
    "uid",
)

_BUILT_IN = frozenset({"", "apps", "autoscaling", "batch", "policy"}) | {
    f"{name}.k8s.io"
    for name in (
        *(
            "admissionregistration",
            "apiextensions",
            "apiregistration",
            "authentication",
            "authorization",
            "certificates",
        ),
        *("coordination", "discovery", "events", "flowcontrol.apiserver", "networking", "node", "rbac.authorization"),
        *("resource", "scheduling", "storage"),
    )
}

# Keys whose values are quantities, or maps of quantities.
_QUANTITIES = frozenset(
    {"requests", "limits", "hard", "averageValue", "sizeLimit", "divisor", "overhead", "capacity", "default"}
    | {"defaultRequest", "max", "min"}
)
# `max` and the like mean other things in other places.
_QUANTITY_KINDS = frozenset({"LimitRange"})
_ONLY_IN_LIMIT_RANGES = frozenset({"default", "defaultRequest", "max", "min"})

# Fields that are no pointers in Go: false and 0 are as good as absent.
_ABSENT_IF_ZERO = frozenset(
    {
        "hostIPC",
        "hostNetwork",
        "hostPID",
        "initialDelaySeconds",
        "minReadySeconds",
        "nodePort",
        "paused",
        "publishNotReadyAddresses",
        "readOnly",
        "stdin",
        "stdinOnce",
        "tty",
        "unschedulable",
    }
)

_BINARY = {"Ki": 1, "Mi": 2, "Gi": 3, "Ti": 4, "Pi": 5, "Ei": 6}
_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_SUFFIXES = {power: suffix for suffix, power in _DECIMAL.items()}


def is_built_in(obj: Object) -> bool:
    """Whether the API server itself defines it, rather than a CustomResourceDefinition."""
    return objects.kind_of(obj).group in _BUILT_IN


def normalized(obj: Object) -> Object:
    """Return the inputs normalized; the argument may be changed."""
    if not has_unknown(obj) and is_built_in(obj):
        if objects.kind_of(obj) == objects.Kind("v1", "Secret"):
            _merge_string_data(obj)
        elif objects.kind_of(obj).name == "CustomResourceDefinition":
            obj.pop("status", None)
        else:
            obj = _without_zeros(_canonical(obj, objects.kind_of(obj).name))
    held = obj.get("metadata")
    if isinstance(held, dict):
        for name in _READ_ONLY:
            held.pop(name, None)
    return obj


def _merge_string_data(obj: Object) -> None:
    data = obj.get("data") if isinstance(obj.get("data"), dict) else {}
    text = obj.get("stringData")
    encoded = {name: _reencoded(value) for name, value in (data or {}).items()}
    if isinstance(text, dict) and text:
        encoded |= {name: base64.b64encode(str(value).encode()).decode() for name, value in text.items()}
        del obj["stringData"]
    if encoded:
        obj["data"] = encoded


def _reencoded(value: Any) -> Any:  # noqa: ANN401
    try:
        return base64.b64encode(base64.b64decode(value)).decode() if isinstance(value, str) else value
    except (binascii.Error, ValueError):
        return value  # the API server will say what it thinks of it


def _canonical(value: Any, kind: str) -> Any:  # noqa: ANN401
    if isinstance(value, dict):
        return {name: _canonical_field(name, item, kind) for name, item in value.items()}
    if isinstance(value, list):
        return [_canonical(item, kind) for item in value]
    return value


def _canonical_field(name: str, value: Any, kind: str) -> Any:  # noqa: ANN401
    if name in {"annotations", "labels", "matchLabels", "data", "env", "args", "command"}:
        return value
    if name in _QUANTITIES and (name not in _ONLY_IN_LIMIT_RANGES or kind in _QUANTITY_KINDS):
        if isinstance(value, dict):
            return {key: quantity(item) for key, item in value.items()}
        if isinstance(value, str | int | float) and not isinstance(value, bool):
            return quantity(value)
    return _canonical(value, kind)


def quantity(value: Any) -> Any:  # noqa: ANN401
    """Return a quantity as Kubernetes prints it: `0.5` as `500m`, `1024Mi` as `1Gi`, `1000m` as `1`.

    See https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/. What is no quantity is
    returned as it is.
    """
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return value
    text = str(value)
    try:
        if text[-2:] in _BINARY:
            amount = Decimal(text[:-2]) * Decimal(1024) ** _BINARY[text[-2:]]
            return _binary(amount)
        suffix = text[-1:] if text[-1:] in _DECIMAL else ""
        amount = Decimal(text[: len(text) - len(suffix)]).scaleb(_DECIMAL[suffix])
    except (InvalidOperation, ValueError):
        return value
    return _decimal(amount)


def _binary(amount: Decimal) -> str:
    if amount != amount.to_integral_value() or abs(amount) < 1024:
        return _decimal(amount)
    whole, power = int(amount), 0
    while whole and whole % 1024 == 0 and power < 6:
        whole, power = whole // 1024, power + 1
    return f"{whole}{'KMGTPE'[power - 1]}i" if power else str(whole)


def _decimal(amount: Decimal) -> str:
    if amount == 0:
        return "0"
    power = -9
    while power < 18 and amount.scaleb(-(power + 3)) == amount.scaleb(-(power + 3)).to_integral_value():
        power += 3
    return f"{int(amount.scaleb(-power))}{_SUFFIXES[power]}"


def _without_zeros(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, dict):
        return {
            name: _without_zeros(item)
            for name, item in value.items()
            if not (name in _ABSENT_IF_ZERO and (item is False or item == 0)) and item is not None
        }
    if isinstance(value, list):
        return [_without_zeros(item) for item in value]
    return value
