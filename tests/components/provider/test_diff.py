"""What counts as a change, and of which kind."""

from __future__ import annotations

import pytest

from components.provider.diff import compare
from components.provider.resource import Change, Edit
from components.provider.shape import Anything, Property
from components.provider.unknown import UNKNOWN

INPUTS = {
    "where": Property(Anything(), "", replaces=True),
    "what": Property(Anything(), ""),
    "other": Property(Anything(), ""),
}


@pytest.mark.parametrize(
    ("old", "new", "changed"),
    [
        ("a", "a", {}),
        ("a", "b", {"what": Edit.UPDATE}),
        (None, "b", {"what": Edit.ADD}),
        ("a", None, {"what": Edit.DELETE}),
        (1, 1.0, {}),
        (1, True, {"what": Edit.UPDATE}),
        ("a", ["a"], {"what": Edit.UPDATE}),
        ({"x": 1, "y": 2}, {"y": 2, "x": 1}, {}),
        ({"x": 1, "y": 2}, {"x": 3, "z-1": 4}, {"what.x": Edit.UPDATE, "what.y": Edit.DELETE, 'what["z-1"]': Edit.ADD}),
        ([1, 2], [1, 3], {"what[1]": Edit.UPDATE}),
        ([1, 2], [1], {"what[1]": Edit.DELETE}),
        ([1], [1, {"x": 2}], {"what[1]": Edit.ADD}),
        ([{"x": 1}], [{"x": 2}], {"what[0].x": Edit.UPDATE}),
        ("a", UNKNOWN, {"what": Edit.UPDATE}),
        ({"x": 1}, {"x": UNKNOWN}, {"what.x": Edit.UPDATE}),
        (None, UNKNOWN, {"what": Edit.UPDATE}),
    ],
)
def test_a_change_is_named_with_its_path_and_kind(old: object, new: object, changed: dict[str, Edit]) -> None:
    assert compare(INPUTS, {"what": old}, {"what": new}) == Change(changed=changed)


def test_a_change_of_an_input_that_cannot_change_in_place_replaces() -> None:
    change = compare(INPUTS, {"where": "a", "what": "x"}, {"where": "b", "what": "y"})
    assert change.replaced == ("where",)
    assert set(change.changed) == {"where", "what"}


def test_what_the_resource_compares_itself_and_what_is_no_input_is_left_out() -> None:
    assert compare(INPUTS, {"where": "a", "port": 1}, {"where": "b"}, ignore={"where"}) == Change()
