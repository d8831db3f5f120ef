"""A resource that remembers what it was asked, and the provider that serves it."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest

from components.provider.diff import compare
from components.provider.provider import LaunchProvider
from components.provider.resource import (
    UNKNOWN,
    Cancelled,
    Change,
    Context,
    Failure,
    Found,
    PartialFailure,
    ResourceFailure,
    Values,
)
from components.provider.shape import MapOf, Number, Properties, Property, String


class Note:
    """A note on a board that is a dictionary."""

    description: ClassVar[str] = "A note."
    inputs: ClassVar[Properties] = {
        "text": Property(String(), "What it says."),
        "board": Property(String(), "Where it hangs.", default="main", replaces=True),
        "size": Property(Number(whole=True), "How large.", required=False),
        "labels": Property(MapOf(String()), "What it belongs to.", required=False),
    }
    outputs: ClassVar[Properties] = {
        "length": Property(Number(whole=True), "How long it is.", derived=("text",)),
        "number": Property(Number(whole=True), "Which one it is."),
    }
    asked: ClassVar[list[tuple[Any, ...]]] = []

    def check(self, inputs: Values, old: Values | None) -> list[Failure]:
        self.asked.append(("check", inputs, old))
        return [Failure("text", f"is {inputs['text']!r}, which is rude")] if inputs["text"] == "rude" else []

    def diff(self, old: Values, new: Values) -> Change:
        return compare(self.inputs, old, new)

    def preview(self, inputs: Values, old: Values | None) -> Values:
        return {**inputs, "length": len(str(inputs["text"])), "number": old["number"] if old else UNKNOWN}

    def create(self, inputs: Values, context: Context) -> tuple[str, Values]:
        self.asked.append(("create", inputs, context))
        outputs = {**inputs, "length": len(inputs["text"]), "number": 1}
        if inputs["text"] == "fail":
            raise ResourceFailure(f"the pen broke while writing {inputs.get('labels')}")
        if inputs["text"] == "smudge":
            raise PartialFailure(f"smudged: {inputs.get('labels')}", outputs=outputs, id="note-1")
        if inputs["text"] == "wait":
            context.cancelled.wait()
            raise Cancelled("stopped while writing")
        return "note-1", outputs

    def read(self, id: str, outputs: Values, inputs: Values) -> Found | None:  # noqa: A002
        self.asked.append(("read", id, outputs, inputs))
        if id == "gone":
            return None
        if not inputs:
            return Found({"text": "imported", "length": 8, "number": 7}, {"text": "imported"})
        return Found({**outputs, "text": "edited"})

    def update(self, id: str, old: Values, new: Values, context: Context) -> Values:  # noqa: A002
        self.asked.append(("update", id, old, new, context))
        outputs = {**new, "length": len(new["text"]), "number": old["number"]}
        if new["text"] == "smudge":
            raise PartialFailure("smudged", outputs=outputs)
        return outputs

    def delete(self, id: str, outputs: Values, context: Context) -> None:  # noqa: A002
        self.asked.append(("delete", id, outputs, context))


@pytest.fixture
def note() -> type[Note]:
    """The resource; `asked` is what it was asked in this test."""
    Note.asked.clear()
    return Note


@pytest.fixture
def asked(note: type[Note]) -> list[tuple[Any, ...]]:
    """What the resource was asked, with the arguments."""
    return note.asked


@pytest.fixture
def provider(note: type[Note]) -> LaunchProvider:
    return LaunchProvider({"test:index:Note": note}, "1.2.3")


@pytest.fixture
def urn() -> str:
    return "urn:pulumi:dev::shop::test:index:Board$test:index:Note::first"
