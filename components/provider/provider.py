"""The provider as the engine sees it: dispatches to resources and converts values on the way."""

from __future__ import annotations

import asyncio
import functools
import logging
import threading
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from pulumi.provider.experimental import provider as pulumi_provider
from pulumi.provider.experimental.property_value import PropertyValue

from components.provider import values
from components.provider.resource import (
    Cancelled,
    Change,
    Context,
    Edit,
    PartialFailure,
    Resource,
    ResourceFailure,
    Values,
)
from components.provider.schema import package_schema
from components.provider.shape import Properties, filled, mistakes
from components.provider.unknown import has_unknown

logger = logging.getLogger(__name__)

T = TypeVar("T")

_THREADS = 64
"""Operations at once. They mostly wait, so this is about how many slots may get ready at the same time."""

_KINDS = {
    (Edit.ADD, False): pulumi_provider.PropertyDiffKind.ADD,
    (Edit.ADD, True): pulumi_provider.PropertyDiffKind.ADD_REPLACE,
    (Edit.DELETE, False): pulumi_provider.PropertyDiffKind.DELETE,
    (Edit.DELETE, True): pulumi_provider.PropertyDiffKind.DELETE_REPLACE,
    (Edit.UPDATE, False): pulumi_provider.PropertyDiffKind.UPDATE,
    (Edit.UPDATE, True): pulumi_provider.PropertyDiffKind.UPDATE_REPLACE,
}


class InitFailed(Exception):
    """A resource is there, but not as it should be; the engine records it with its reasons.

    Attributes:
        id: its identity.
        properties: its outputs.
    """

    def __init__(self, reason: str, *, id: str, properties: Mapping[str, PropertyValue]) -> None:  # noqa: A002
        super().__init__(reason)
        self.id = id
        self.properties = dict(properties)


class LaunchProvider(pulumi_provider.Provider):
    """Serves the resources of a registry.

    Args:
        resources: resource classes by type token.
        version: for the schema.
        drifting: tokens of those resources that change behind the engine's back.
    """

    def __init__(
        self, resources: Mapping[str, type[Resource]], version: str, *, drifting: Collection[str] = ()
    ) -> None:
        self._resources = resources
        self._drifting = drifting
        self._version = version
        self._cancelled = threading.Event()
        self._threads = ThreadPoolExecutor(max_workers=_THREADS, thread_name_prefix="resource")

    def drifts(self, urn: str) -> bool:
        """Whether the engine should read this resource before every update."""
        return _type_of(urn) in self._drifting

    async def cancel(self) -> None:
        """Make everything that waits end soon. The engine sends this once, and no new operation after it."""
        self._cancelled.set()

    async def configure(
        self,
        request: pulumi_provider.ConfigureRequest,  # noqa: ARG002 - there is nothing to configure
    ) -> pulumi_provider.ConfigureResponse:
        """Say what we understand: secrets and previews.

        Outputs and resource references are declined, so that unknown values come as they always did: the
        SDK's property values (3.259) cannot read an unknown output.
        """
        return pulumi_provider.ConfigureResponse(accept_secrets=True, supports_preview=True)

    async def get_schema(
        self,
        request: pulumi_provider.GetSchemaRequest,  # noqa: ARG002 - there is one schema
    ) -> pulumi_provider.GetSchemaResponse:
        """The package schema, made from the declared properties."""
        return pulumi_provider.GetSchemaResponse(schema=package_schema(self._resources, self._version))

    async def check(self, request: pulumi_provider.CheckRequest) -> pulumi_provider.CheckResponse:
        """Types and required inputs from the declaration, then what the resource itself looks for."""
        resource = self._resource(_type_of(request.urn))
        try:
            given = values.plain_all(request.new_inputs)
        except values.Unplain as error:
            return pulumi_provider.CheckResponse(
                inputs=request.new_inputs, failures=[pulumi_provider.CheckFailure(error.name, str(error))]
            )
        failures = list(mistakes(resource.inputs, given))
        inputs = filled(resource.inputs, given)
        if not failures:
            old = filled(resource.inputs, values.plain_all(request.old_inputs)) if request.old_inputs else None
            found = await self._run(lambda: resource.check(inputs, old), request.new_inputs)
            failures = [(failure.path, failure.reason) for failure in found]
        return pulumi_provider.CheckResponse(
            inputs=values.dressed(inputs, request.new_inputs, {}),
            failures=[
                pulumi_provider.CheckFailure(path, values.scrubbed(reason, request.new_inputs))
                for path, reason in failures
            ],
        )

    async def diff(self, request: pulumi_provider.DiffRequest) -> pulumi_provider.DiffResponse:
        """Compare the record with new inputs; an input that has become secret is a change as well."""
        resource = self._resource(_type_of(request.urn))
        old = filled(_properties(resource), values.plain_all(request.old_state))
        new = filled(resource.inputs, values.plain_all(request.new_inputs))
        change = resource.diff(old, new)
        changed = dict(change.changed)
        for name, value in request.new_inputs.items():
            if values.exposes(request.old_state.get(name), value):
                changed.setdefault(name, Edit.UPDATE)
        return _diff_response(Change(changed, change.replaced, change.delete_before_replace))

    async def create(self, request: pulumi_provider.CreateRequest) -> pulumi_provider.CreateResponse:
        """Make the resource, or in a preview say what it would be."""
        resource = self._resource(_type_of(request.urn))
        inputs = filled(resource.inputs, values.plain_all(request.properties))
        if request.preview or has_unknown(inputs):
            outputs = await self._run(lambda: resource.preview(inputs, None), request.properties)
            return pulumi_provider.CreateResponse("", self._dress(resource, outputs, request.properties))
        context = Context(request.urn, request.timeout, self._cancelled)
        try:
            id_, outputs = await self._run(lambda: resource.create(inputs, context), request.properties)
        except PartialFailure as failure:
            raise self._init_failed(resource, failure, failure.id, request.properties) from failure
        return pulumi_provider.CreateResponse(id_, self._dress(resource, outputs, request.properties))

    async def update(self, request: pulumi_provider.UpdateRequest) -> pulumi_provider.UpdateResponse:
        """Change the resource in place, or in a preview say what it would be."""
        resource = self._resource(_type_of(request.urn))
        old = filled(_properties(resource), values.plain_all(request.olds))
        new = filled(resource.inputs, values.plain_all(request.news))
        if request.preview or has_unknown(new):
            outputs = await self._run(lambda: resource.preview(new, old), request.news)
            return pulumi_provider.UpdateResponse(self._dress(resource, outputs, request.news))
        context = Context(request.urn, request.timeout, self._cancelled)
        try:
            outputs = await self._run(
                lambda: resource.update(request.resource_id, old, new, context), request.news, request.olds
            )
        except PartialFailure as failure:
            raise self._init_failed(resource, failure, request.resource_id, request.news) from failure
        return pulumi_provider.UpdateResponse(self._dress(resource, outputs, request.news))

    async def read(self, request: pulumi_provider.ReadRequest) -> pulumi_provider.ReadResponse:
        """Look at the world; an answer without an id tells the engine that the resource is gone."""
        resource = self._resource(_type_of(request.urn))
        outputs = filled(_properties(resource), values.plain_all(request.properties))
        inputs = filled(resource.inputs, values.plain_all(request.inputs)) if request.inputs else {}
        marks = {**request.properties, **request.inputs}
        found = await self._run(lambda: resource.read(request.resource_id, outputs, inputs), marks)
        if found is None:
            return pulumi_provider.ReadResponse("")
        recorded = request.inputs if found.inputs is None else values.dressed(found.inputs, request.inputs, {})
        return pulumi_provider.ReadResponse(
            request.resource_id, self._dress(resource, found.outputs, marks), dict(recorded)
        )

    async def delete(self, request: pulumi_provider.DeleteRequest) -> None:
        """Remove the resource."""
        resource = self._resource(_type_of(request.urn))
        outputs = filled(_properties(resource), values.plain_all(request.properties))
        context = Context(request.urn, request.timeout, self._cancelled)
        await self._run(lambda: resource.delete(request.resource_id, outputs, context), request.properties)

    def _resource(self, token: str) -> Resource:
        if token not in self._resources:
            message = f"{token} is no resource of this provider; there are {', '.join(sorted(self._resources))}"
            raise ResourceFailure(message)
        return self._resources[token]()

    def _dress(self, resource: Resource, outputs: Values, inputs: values.Marked) -> dict[str, PropertyValue]:
        return values.dressed(outputs, inputs, resource.outputs)

    def _init_failed(self, resource: Resource, failure: PartialFailure, id_: str, inputs: values.Marked) -> InitFailed:
        return InitFailed(str(failure), id=id_, properties=self._dress(resource, failure.outputs, inputs))

    async def _run(self, operation: Callable[[], T], *marks: values.Marked) -> T:
        """Run `operation` in a thread; the engine's requests go on meanwhile, a cancellation among them."""
        if self._cancelled.is_set():
            message = "the update was cancelled before this began"
            raise Cancelled(message)
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._threads, functools.partial(operation))
        except ResourceFailure as failure:
            failure.args = (values.scrubbed(str(failure), *marks),)
            raise


def _properties(resource: Resource) -> Properties:
    return {**resource.inputs, **resource.outputs}


def _type_of(urn: str) -> str:
    """The type in a URN, without its parents' types: `launch:local:Service$launch:local:Process`."""
    return urn.split("::")[2].rpartition("$")[2]


def _diff_response(change: Change) -> pulumi_provider.DiffResponse:
    names = dict.fromkeys(_top(path) for path in change.changed)
    return pulumi_provider.DiffResponse(
        changes=bool(change.changed),
        replaces=list(change.replaced),
        delete_before_replace=change.delete_before_replace,
        diffs=list(names),
        detailed_diff={
            path: pulumi_provider.PropertyDiff(_KINDS[edit, _top(path) in change.replaced], input_diff=False)
            for path, edit in change.changed.items()
        },
    )


def _top(path: str) -> str:
    """The name of the property that a path begins with."""
    return path.split(".", 1)[0].split("[", 1)[0]
