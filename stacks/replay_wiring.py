"""Which recorded values came from another resource, found from the checkpoint alone.

The state records for each input property the resources its value came from (`propertyDependencies`), not which of
their outputs. The outputs are recorded too, so the connection is rebuilt by value: whatever stands in the property
and equals an output (or the id) of one of those resources is taken from that resource's live output again. A string
that contains such an output is put together again around it. Where the resource stays as it was, the live value is
the recorded one; where replay has to create it anew, its new address feeds on.

Only resources that Pulumi manages, and what was read by way of their ids, are sources. What was merely read (`get`,
stack references) keeps the recorded value: replay goes back to what was, and does not follow what others changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from stacks.checkpoint import Checkpoint, Resource
from stacks.replay_matching import Match, Matcher
from stacks.replay_offers import Index, Source, index
from stacks.replay_values import Path


@dataclass(frozen=True, slots=True)
class Wire:
    """What stands at `path` is made of live outputs.

    Attributes:
        path: where, below the input property or output.
        pieces: a single `Source` is the whole value; otherwise a string is joined from texts and sources.
    """

    path: Path
    pieces: tuple[str | Source, ...]

    @property
    def sources(self) -> tuple[Source, ...]:
        """The outputs it needs."""
        return tuple(piece for piece in self.pieces if isinstance(piece, Source))


@dataclass(frozen=True, slots=True)
class Wiring:
    """All connections of a checkpoint.

    Attributes:
        inputs: by URN and input property.
        outputs: by URN of a component (or the stack) and output key.
        triggers: by URN, for the replacement trigger.
        ids: by URN of a resource that is only read: where the id to read came from.
        underived: `(urn, property, dependency)` where a property came from a resource but no output of it is found
            in the value: it was computed by the program and cannot be computed again.
    """

    inputs: Mapping[str, Mapping[str, tuple[Wire, ...]]]
    outputs: Mapping[str, Mapping[str, tuple[Wire, ...]]]
    triggers: Mapping[str, tuple[Wire, ...]]
    ids: Mapping[str, tuple[Wire, ...]]
    underived: tuple[tuple[str, str, str], ...]

    def sources(self, urn: str) -> frozenset[str]:
        """URNs of the resources whose outputs the registration of `urn` needs."""
        groups: list[Iterable[Wire]] = [*self.inputs.get(urn, {}).values()]
        groups += [self.triggers.get(urn, ()), self.ids.get(urn, ())]
        return frozenset(source.urn for wires in groups for wire in wires for source in wire.sources)


def wiring(checkpoint: Checkpoint) -> Wiring:
    """Finds every connection in a checkpoint; pure."""
    return _Builder(checkpoint).build()


class _Builder:
    def __init__(self, checkpoint: Checkpoint) -> None:
        self._checkpoint = checkpoint
        self._indexes: dict[str, Index] = {}
        self._earlier = Index()
        self._inputs: dict[str, dict[str, tuple[Wire, ...]]] = {}
        self._triggers: dict[str, tuple[Wire, ...]] = {}
        self._ids: dict[str, tuple[Wire, ...]] = {}
        self._underived: list[tuple[str, str, str]] = []
        self._children: dict[str, list[Resource]] = {}
        for resource in checkpoint.live:
            self._children.setdefault(resource.parent, []).append(resource)

    def build(self) -> Wiring:
        for resource in self._checkpoint.live:
            self._wire(resource)
            if resource.custom and not resource.is_provider and (not resource.external or self._ids[resource.urn]):
                self._indexes[resource.urn] = index(resource, self._places(resource.urn))
                self._earlier.add(self._indexes[resource.urn])
        return Wiring(self._inputs, self._registered(), self._triggers, self._ids, tuple(self._underived))

    def _wire(self, resource: Resource) -> None:
        found: dict[str, tuple[Wire, ...]] = {}
        for key, dependencies in resource.property_dependencies.items():
            if key not in resource.inputs or not dependencies:
                continue
            groups = {urn: self._reach(urn) for urn in dependencies}
            known = _joined(index for group in groups.values() for index in group.values())
            matches = tuple(Matcher(known, scoped=True).matches(resource.inputs[key], key))
            wires = _wires(matches)
            if wires:
                found[key] = wires
            self._underived += [(resource.urn, key, urn) for urn in self._unexplained(groups, matches)]
        if found:
            self._inputs[resource.urn] = found
        if resource.replacement_trigger is not None:
            self._triggers[resource.urn] = _wires(
                Matcher(self._earlier, scoped=False).matches(resource.replacement_trigger, "")
            )
        if resource.external:
            own = _joined(self._indexes[urn] for urn in resource.dependencies if urn in self._indexes)
            self._ids[resource.urn] = _wires(Matcher(own, scoped=True).matches(resource.id, "id"))

    def _unexplained(self, groups: Mapping[str, Mapping[str, Index]], matches: Iterable[Match]) -> list[str]:
        """The recorded origins of a value that nothing in it comes from."""
        direct = {urn for match in matches for urn in match.origins}
        left = [urn for urn, group in groups.items() if group and not direct & group.keys()]
        if not left:
            return []
        known = self._behind(direct)
        return [urn for urn in left if not known & groups[urn].keys()]

    def _behind(self, urns: set[str]) -> set[str]:
        """The resources and all those whose outputs they pass on."""
        found: set[str] = set()
        todo = list(urns)
        while todo:
            urn = todo.pop()
            if urn not in found:
                found.add(urn)
                wired = self._inputs.get(urn, {}).values()
                todo += [source.urn for wires in wired for wire in wires for source in wire.sources]
        return found

    def _places(self, urn: str) -> dict[str, tuple[Path, ...]]:
        return {key: tuple(wire.path for wire in wires) for key, wires in self._inputs.get(urn, {}).items()}

    def _reach(self, urn: str) -> dict[str, Index]:
        """The indexes behind a recorded dependency: a component stands for what is below it."""
        if urn in self._indexes:
            return {urn: self._indexes[urn]}
        found: dict[str, Index] = {}
        for child in self._children.get(urn, ()):
            if child.urn != urn:
                found |= self._reach(child.urn)
        return found

    def _registered(self) -> dict[str, dict[str, tuple[Wire, ...]]]:
        """Outputs of components and of the stack: their origin is not recorded, so any resource below may be it."""
        found: dict[str, dict[str, tuple[Wire, ...]]] = {}
        for resource in self._checkpoint.live:
            if resource.custom or not resource.outputs:
                continue
            below = self._earlier if resource.is_stack else _joined(self._reach(resource.urn).values())
            matcher = Matcher(below, scoped=False)
            wired = {key: _wires(matcher.matches(value, key)) for key, value in resource.outputs.items()}
            if any(wired.values()):
                found[resource.urn] = {key: wires for key, wires in wired.items() if wires}
        return found


def _joined(indexes: Iterable[Index]) -> Index:
    joined = Index()
    for found in indexes:
        joined.add(found)
    return joined


def _wires(matches: Iterable[Match]) -> tuple[Wire, ...]:
    return tuple(
        Wire(match.path, tuple(piece if isinstance(piece, str) else piece.source for piece in match.pieces))
        for match in matches
        if not match.constant
    )
