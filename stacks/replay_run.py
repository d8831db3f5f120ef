"""Registers the resources of a checkpoint, each as soon as those it needs are there."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

from stacks.checkpoint import Checkpoint, Resource
from stacks.replay_changes import Adjustment, adjustments
from stacks.replay_live import Live, Registered
from stacks.replay_requests import as_struct, from_struct, outputs_of, read, register
from stacks.replay_values import is_unknown
from stacks.replay_wiring import Wiring, wiring

if TYPE_CHECKING:
    from pulumi.runtime.proto import resource_pb2

_log = logging.getLogger(__name__)


class Monitor(Protocol):
    """The part of the engine's resource monitor that replay needs."""

    def RegisterResource(  # noqa: N802 - the protocol's name
        self, request: resource_pb2.RegisterResourceRequest
    ) -> resource_pb2.RegisterResourceResponse:
        """Registers one resource and waits for the engine to be done with it."""

    def ReadResource(  # noqa: N802
        self, request: resource_pb2.ReadResourceRequest
    ) -> resource_pb2.ReadResourceResponse:
        """Reads one resource."""

    def RegisterResourceOutputs(  # noqa: N802
        self, request: resource_pb2.RegisterResourceOutputsRequest
    ) -> object:
        """Registers what a component answers."""


class Replay:
    """One replay of one checkpoint.

    Args:
        checkpoint: what is to be.
        monitor: where to register; its calls block.
        root: URN of the stack's own resource, which is registered already.
        preview: True where nothing is really done and answers may be unknown.
        current: what the stack holds now, where that is known.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        monitor: Monitor,
        *,
        root: str,
        preview: bool = False,
        current: Checkpoint | None = None,
    ) -> None:
        self._checkpoint = checkpoint
        self._monitor = monitor
        self._wiring: Wiring = wiring(checkpoint)
        self._changes: Mapping[str, Adjustment] = adjustments(checkpoint, current)
        self._live = Live(preview=preview, answers={root: Registered(root)})
        self._done: dict[str, asyncio.Task[None]] = {}
        self._children: dict[str, list[Resource]] = {}
        self._outputs: list[asyncio.Task[None]] = []

    async def run(self) -> dict[str, Any]:
        """Registers everything and answers the recorded stack outputs with live values.

        Where the engine refuses a resource, all that do not need it are still registered; then what the monitor
        raised is raised here.
        """
        resources = [resource for resource in self._checkpoint.live if resource.registered]
        for resource in resources:
            self._children.setdefault(resource.parent, []).append(resource)
        for resource in resources:
            self._done[resource.urn] = asyncio.create_task(self._register(resource), name=resource.urn)
        components = [resource for resource in resources if not resource.custom]
        self._outputs = [asyncio.create_task(self._answer(component)) for component in components]
        results = await asyncio.gather(*self._done.values(), *self._outputs, return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException) and not isinstance(result, _Skipped):
                raise result
        root = self._checkpoint.root
        return outputs_of(root, wiring=self._wiring, live=self._live) if root else {}

    def _needs(self, resource: Resource) -> set[str]:
        """URNs of what must be there before this resource: all that it refers to."""
        return {
            resource.parent,
            resource.provider_urn,
            resource.deleted_with,
            *resource.dependencies,
            *(urn for urns in resource.property_dependencies.values() for urn in urns),
            *resource.replace_with,
            *self._wiring.sources(resource.urn),
        }

    async def _wait(self, urns: set[str]) -> None:
        for urn in urns & self._done.keys():
            try:
                await asyncio.shield(self._done[urn])
            except asyncio.CancelledError:
                raise
            except Exception as error:
                # The one that failed is told; those behind it only follow.
                raise _Skipped(urn) from error

    async def _register(self, resource: Resource) -> None:
        await self._wait(self._needs(resource) - {resource.urn})
        call = asyncio.to_thread(self._read if resource.external else self._create, resource)
        self._live.answers[resource.urn] = await call

    def _create(self, resource: Resource) -> Registered:
        parent = self._checkpoint.by_urn.get(resource.parent)
        request = register(
            resource, wiring=self._wiring, live=self._live, parent=parent, change=self._changes[resource.urn]
        )
        _log.debug("replays %s", resource.urn)
        response = self._monitor.RegisterResource(request)
        identity = "" if is_unknown(response.id) else response.id
        return Registered(response.urn, identity, from_struct(response.object))

    def _read(self, resource: Resource) -> Registered:
        request = read(resource, wiring=self._wiring, live=self._live)
        _log.debug("reads %s", resource.urn)
        response = self._monitor.ReadResource(request)
        return Registered(response.urn, request.id, from_struct(response.properties))

    async def _answer(self, component: Resource) -> None:
        """A component's outputs, once all below it is there."""
        await self._wait({component.urn, *self._below(component.urn)})
        outputs = outputs_of(component, wiring=self._wiring, live=self._live)
        await asyncio.to_thread(self._register_outputs, component.urn, outputs)

    def _register_outputs(self, urn: str, outputs: Mapping[str, Any]) -> None:
        from pulumi.runtime.proto import resource_pb2

        self._monitor.RegisterResourceOutputs(
            resource_pb2.RegisterResourceOutputsRequest(urn=urn, outputs=as_struct(outputs))
        )

    def _below(self, urn: str) -> set[str]:
        found: set[str] = set()
        todo = [urn]
        while todo:
            for child in self._children.get(todo.pop(), ()):
                if child.urn not in found:
                    found.add(child.urn)
                    todo.append(child.urn)
        return found


class _Skipped(Exception):
    """Not registered, because something it needs was not."""
