"""A recorded resource as the request that registers it again.

Replay speaks the engine's own protocol (`ResourceMonitor` in `proto/pulumi/resource.proto` of pulumi/pulumi) rather
than through resource classes: the classes rename properties, widen dependencies on components to their children and
leave out options, and the state would not be the same afterwards.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from stacks.checkpoint import Resource
from stacks.replay_changes import Adjustment
from stacks.replay_live import Live
from stacks.replay_values import is_unknown, plain
from stacks.replay_wiring import Wiring

if TYPE_CHECKING:
    from google.protobuf import struct_pb2  # type: ignore[import-untyped]
    from pulumi.runtime.proto import resource_pb2

_HOOKS: Final = {
    "BeforeCreate": "before_create",
    "AfterCreate": "after_create",
    "BeforeUpdate": "before_update",
    "AfterUpdate": "after_update",
    "BeforeDelete": "before_delete",
    "AfterDelete": "after_delete",
    "OnError": "on_error",
}
"""The state's names of the moments, and the protocol's."""


def register(
    resource: Resource, *, wiring: Wiring, live: Live, parent: Resource | None, change: Adjustment
) -> resource_pb2.RegisterResourceRequest:
    """The request for a managed resource, a provider or a component.

    Args:
        resource: as it was recorded.
        wiring: where its values came from.
        live: the answers so far.
        parent: its recorded parent; the engine lets children inherit from it.
        change: what differs because of the state that is there now.
    """
    from pulumi.runtime.proto import alias_pb2, resource_pb2

    inputs = _inputs(resource, wiring, live)
    request = resource_pb2.RegisterResourceRequest(
        type=resource.type,
        name=resource.name,
        parent=resource.parent,
        custom=resource.custom,
        object=as_struct(inputs),
        provider=provider_reference(resource, live),
        dependencies=resource.dependencies,
        # Without any entry the engine would make each property depend on everything.
        propertyDependencies={
            key: resource_pb2.RegisterResourceRequest.PropertyDependencies(
                urns=resource.property_dependencies.get(key, ())
            )
            for key in {*resource.inputs, *resource.property_dependencies}
        },
        protect=resource.protect,
        aliases=[alias_pb2.Alias(urn=urn) for urn in change.aliases],
        # What is imported may not be replaced, and a new address from elsewhere might force just that.
        importId=change.import_id if plain(inputs) == plain(program_inputs(resource.inputs)) else "",
        ignoreChanges=change.ignore_changes,
        additionalSecretOutputs=resource.additional_secret_outputs,
        replaceOnChanges=resource.replace_on_changes,
        hideDiffs=resource.hide_diff,
        deletedWith=resource.deleted_with,
        replace_with=resource.replace_with,
        hooks=_hooks(resource),
        acceptSecrets=True,
        acceptResources=True,
        accepts_byte_string=True,
        supportsPartialValues=True,
    )
    if resource.timeouts:
        request.customTimeouts.CopyFrom(
            resource_pb2.RegisterResourceRequest.CustomTimeouts(
                **{key: f"{seconds!r}s" for key, seconds in resource.timeouts.items()}
            )
        )
    # The engine warns about this option on components, so it is only said where it would not be inherited.
    if resource.custom or resource.retain_on_delete != (parent is not None and parent.retain_on_delete):
        request.retainOnDelete = resource.retain_on_delete
    if resource.replacement_trigger is not None:
        trigger = live.put(resource.replacement_trigger, wiring.triggers.get(resource.urn, ()))
        request.replacement_trigger.CopyFrom(as_value(trigger))
    if resource.is_provider:
        _plugin(resource, request)
    return request


def read(resource: Resource, *, wiring: Wiring, live: Live) -> resource_pb2.ReadResourceRequest:
    """The request for a resource that was only read."""
    from pulumi.runtime.proto import resource_pb2

    return resource_pb2.ReadResourceRequest(
        id=str(plain(live.put(resource.id, wiring.ids.get(resource.urn, ())))),
        type=resource.type,
        name=resource.name,
        parent=resource.parent,
        properties=as_struct(resource.inputs),
        dependencies=resource.dependencies,
        provider=provider_reference(resource, live),
        additionalSecretOutputs=resource.additional_secret_outputs,
        acceptSecrets=True,
        acceptResources=True,
        accepts_byte_string=True,
    )


def outputs_of(resource: Resource, *, wiring: Wiring, live: Live) -> dict[str, Any]:
    """What a component (or the stack) registered as outputs, with live values."""
    wires = wiring.outputs.get(resource.urn, {})
    return {key: live.put(value, wires.get(key, ())) for key, value in resource.outputs.items()}


def provider_reference(resource: Resource, live: Live) -> str:
    """`URN::ID` of the provider with its live id; empty where the resource has none."""
    if not resource.provider:
        return ""
    urn, _, recorded = resource.provider.rpartition("::")
    return f"{urn}::{live.identify(urn, recorded)}"


def as_struct(values: Mapping[str, Any]) -> struct_pb2.Struct:
    """Property values as the protocol carries them; null members are kept."""
    from google.protobuf import struct_pb2

    return struct_pb2.Struct(fields={key: as_value(value) for key, value in values.items()})


def as_value(value: Any) -> struct_pb2.Value:  # noqa: ANN401 - any property value
    """One property value as the protocol carries it."""
    from google.protobuf import struct_pb2

    if value is None:
        return struct_pb2.Value(null_value=struct_pb2.NULL_VALUE)
    if isinstance(value, bool):
        return struct_pb2.Value(bool_value=value)
    if isinstance(value, int | float):
        return struct_pb2.Value(number_value=value)
    if isinstance(value, str):
        return struct_pb2.Value(string_value=value)
    if isinstance(value, Mapping):
        return struct_pb2.Value(struct_value=as_struct(value))
    return struct_pb2.Value(list_value=struct_pb2.ListValue(values=[as_value(item) for item in value]))


def from_struct(values: struct_pb2.Struct) -> dict[str, Any]:
    """The inverse of `as_struct`."""
    return {key: from_value(value) for key, value in values.fields.items()}


def from_value(value: struct_pb2.Value) -> Any:  # noqa: ANN401
    """The inverse of `as_value`; every number is a float."""
    kind = value.WhichOneof("kind")
    if kind == "struct_value":
        return from_struct(value.struct_value)
    if kind == "list_value":
        return [from_value(item) for item in value.list_value.values]
    return None if kind in {None, "null_value"} else getattr(value, kind)


def _inputs(resource: Resource, wiring: Wiring, live: Live) -> dict[str, Any]:
    wires = wiring.inputs.get(resource.urn, {})
    return {key: live.put(value, wires.get(key, ())) for key, value in program_inputs(resource.inputs).items()}


def program_inputs(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """The inputs without those that the provider filled in itself.

    Providers made from Terraform's record the names of their defaults under `__defaults`, generated names among
    them. Given back as if the program had set them they would no longer be defaults, and the next ordinary update,
    which does not set them, would replace the resource.
    """
    defaults = inputs.get("__defaults")
    if not isinstance(defaults, list | tuple):
        return {key: _without_defaults(value) for key, value in inputs.items()}
    filled = {*defaults, "__defaults"}
    return {key: _without_defaults(value) for key, value in inputs.items() if key not in filled}


def _without_defaults(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, Mapping):
        return program_inputs(value)
    return [_without_defaults(item) for item in value] if isinstance(value, list | tuple) else value


def _hooks(resource: Resource) -> resource_pb2.RegisterResourceRequest.ResourceHooksBinding:
    from pulumi.runtime.proto import resource_pb2

    binding = resource_pb2.RegisterResourceRequest.ResourceHooksBinding()
    for moment, names in resource.hooks.items():
        getattr(binding, _HOOKS[moment]).extend(names)
    return binding


def _plugin(resource: Resource, request: resource_pb2.RegisterResourceRequest) -> None:
    """Which plugin serves a provider resource: said as options, or the engine would put its own choice in."""
    version = resource.inputs.get("version")
    internal = resource.inputs.get("__internal")
    # States of engines before `__internal` keep the address beside the configuration.
    source: Mapping[str, Any] = internal if isinstance(internal, Mapping) else resource.inputs
    url = source.get("pluginDownloadURL")
    if isinstance(version, str) and not is_unknown(version):
        request.version = version
    if isinstance(url, str):
        request.pluginDownloadURL = url
