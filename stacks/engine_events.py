"""Collects what the engine says during one update: the steps, the counts, and what failed with its reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from stacks.updates import ResourceChange, ResourceEvent


@dataclass(frozen=True, slots=True)
class Summary:
    """The engine's own count of what an update did."""

    changes: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Began:
    """The engine holds the stack's lock and listens to interrupts from now on."""


EngineWord = ResourceEvent | Summary | Began
"""Anything the engine says that means something here."""


@dataclass(slots=True)
class Collector:
    """Follows the events of one update."""

    _steps: dict[tuple[str, str], ResourceChange] = field(default_factory=dict)
    _failed: dict[str, ResourceEvent] = field(default_factory=dict)
    _errors: list[ResourceEvent] = field(default_factory=list)
    _summary: Summary | None = None

    def add(self, event: EngineWord) -> None:
        """Takes note of an event."""
        if isinstance(event, Began):
            return
        if isinstance(event, Summary):
            self._summary = event
        elif event.kind == "message":
            if event.severity == "error" and event.text:
                self._errors.append(event)
        else:
            self._steps.setdefault((event.urn, event.op), ResourceChange(event.urn, event.type, event.name, event.op))
            if event.kind == "failed":
                self._failed[event.urn] = event

    @property
    def resources(self) -> tuple[ResourceChange, ...]:
        """The steps, in the order in which they began."""
        return tuple(self._steps.values())

    @property
    def changes(self) -> Mapping[str, int]:
        """How many resources underwent each operation."""
        if self._summary is not None:
            return dict(self._summary.changes)
        counts: dict[str, int] = {}
        for step in self._steps.values():
            counts[step.op] = counts.get(step.op, 0) + 1
        return counts

    @property
    def failures(self) -> tuple[tuple[ResourceEvent, str], ...]:
        """Each resource that failed, with the reasons the engine or its provider gave."""
        reasons: dict[str, list[str]] = {urn: [] for urn in self._failed}
        resources = dict(self._failed)
        for error in self._errors:
            if error.urn and error.type != "pulumi:pulumi:Stack":
                reasons.setdefault(error.urn, []).append(error.text)
                resources.setdefault(error.urn, error)
        return tuple(
            (resources[urn], "\n".join(dict.fromkeys(texts)) or "the provider gave no reason")
            for urn, texts in reasons.items()
        )

    @property
    def errors(self) -> tuple[str, ...]:
        """Errors that belong to no resource, for instance those of the program."""
        return tuple(
            dict.fromkeys(error.text for error in self._errors if not error.urn or error.type == "pulumi:pulumi:Stack")
        )


def name_of(urn: str) -> str:
    """The logical name in a URN (`urn:pulumi:STACK::PROJECT::PARENT$TYPE::NAME`)."""
    return urn.split("::", 3)[-1] if urn else ""


def type_of(urn: str) -> str:
    """The type token in a URN, without the types of its parents."""
    parts = urn.split("::", 3)
    return parts[2].rsplit("$", 1)[-1] if len(parts) == 4 else ""
