from __future__ import annotations

import pytest

from phases.same import same


@pytest.mark.parametrize(
    ("left", "right"),
    [(True, True), (1, 1.0), ("a", "a"), (None, None), ([1, {"a": [True]}], (1, {"a": [True]})), ({}, {})],
)
def test_the_same(left: object, right: object) -> None:
    assert same(left, right)
    assert same(right, left)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (True, 1),
        (False, 0),
        (False, None),
        (0, None),
        ("1", 1),
        ([1], [True]),
        ([1], [1, 2]),
        ({"a": 1}, {"a": True}),
        ({"a": 1}, {"b": 1}),
        ([], {}),
        ("", []),
    ],
)
def test_not_the_same(left: object, right: object) -> None:
    assert not same(left, right)
    assert not same(right, left)
