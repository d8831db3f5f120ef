"""The package schema, made from what the resources declare."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from components.provider.resource import Resource
from components.provider.shape import ListOf, MapOf, Object, Properties, Type

PACKAGE = "launch"


def package_schema(resources: Mapping[str, type[Resource]], version: str) -> str:
    """The schema as JSON.

    See https://www.pulumi.com/docs/iac/guides/building-extending/packages/schema/.
    """
    objects = {
        found.token: found
        for resource in resources.values()
        for properties in (resource.inputs, resource.outputs)
        for found in _objects(properties)
    }
    schema = {
        "name": PACKAGE,
        "version": version,
        "displayName": "Launch",
        "description": "Processes, routers, feature flags and schema revisions of a launch.",
        "license": "Apache-2.0",
        "meta": {"moduleFormat": "(.*)"},
        "provider": {"description": "The provider of the launch package; it needs no configuration."},
        "types": {token: _object(objects[token]) for token in sorted(objects)},
        "resources": {token: _resource(resources[token]) for token in sorted(resources)},
    }
    return json.dumps(schema, indent=2)


def _resource(resource: type[Resource]) -> dict[str, Any]:
    outputs = {**resource.inputs, **resource.outputs}
    return {
        "description": resource.description,
        "inputProperties": {name: declared.schema() for name, declared in resource.inputs.items()},
        "requiredInputs": [
            name for name, declared in resource.inputs.items() if declared.required and declared.default is None
        ],
        "properties": {
            name: {key: value for key, value in declared.schema().items() if key != "default"}
            for name, declared in outputs.items()
        },
        "required": [name for name, declared in outputs.items() if declared.required],
    }


def _object(declared: Object) -> dict[str, Any]:
    return {
        "type": "object",
        "description": declared.description,
        "properties": {name: inner.schema() for name, inner in declared.properties.items()},
        "required": [name for name, inner in declared.properties.items() if inner.required and inner.default is None],
    }


def _objects(properties: Properties) -> Iterator[Object]:
    for declared in properties.values():
        yield from _objects_in(declared.type)


def _objects_in(kind: Type) -> Iterator[Object]:
    match kind:
        case Object():
            yield kind
            yield from _objects(kind.properties)
        case ListOf() | MapOf():
            yield from _objects_in(kind.item)
        case _:
            return
