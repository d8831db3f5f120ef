"""Short ways to write states, for the tests of replay."""

# ruff: noqa: ANN401 - a property value may be anything

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stacks.checkpoint import Checkpoint, Resource
from stacks.replay_values import SIG_KEY, Signature

STACK = "urn:pulumi:dev::shop::pulumi:pulumi:Stack::shop-dev"
PROVIDER = "urn:pulumi:dev::shop::pulumi:providers:test::default"


def urn(name: str, kind: str = "test:index:Thing") -> str:
    return f"urn:pulumi:dev::shop::{kind}::{name}"


def secret(value: Any) -> dict[str, Any]:
    return {SIG_KEY: Signature.SECRET.value, "value": value}


def asset(kind: Signature = Signature.ASSET, **members: Any) -> dict[str, Any]:
    return {SIG_KEY: kind.value, **members}


def stack(outputs: Mapping[str, Any] | None = None) -> Resource:
    return Resource(STACK, "pulumi:pulumi:Stack", outputs=outputs or {})


def provider(version: str | None = None, **inputs: Any) -> Resource:
    given = inputs if version is None else {"version": version, **inputs}
    return Resource(PROVIDER, "pulumi:providers:test", custom=True, id="p-1", inputs=given, outputs=given)


def component(name: str, **options: Any) -> Resource:
    return Resource(urn(name, "test:index:Group"), "test:index:Group", **{"parent": STACK, **options})


def thing(
    name: str,
    inputs: Mapping[str, Any] | None = None,
    made: Mapping[str, Any] | None = None,
    *,
    uses: Mapping[str, tuple[str, ...]] | None = None,
    **options: Any,
) -> Resource:
    """A managed resource whose outputs are its inputs and what its provider made; `uses` names its origins."""
    given = dict(inputs or {})
    used = {key: tuple(urn(origin) for origin in origins) for key, origins in (uses or {}).items()}
    defaults: dict[str, Any] = {
        "custom": True,
        "id": f"id-{name}",
        "parent": STACK,
        "provider": f"{PROVIDER}::p-1",
        "inputs": given,
        "outputs": {**given, **(made or {})},
        "property_dependencies": {key: used.get(key, ()) for key in given},
        "dependencies": tuple(sorted({origin for origins in used.values() for origin in origins})),
    }
    return Resource(options.pop("urn", urn(name)), "test:index:Thing", **{**defaults, **options})


def state(*resources: Resource, outputs: Mapping[str, Any] | None = None) -> Checkpoint:
    return Checkpoint((stack(outputs), provider(), *resources))
