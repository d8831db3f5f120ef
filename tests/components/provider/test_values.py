"""Secrets stay secret and unknown values unknown on their way through a resource."""

from __future__ import annotations

import pulumi
import pytest
from pulumi.provider.experimental.property_value import PropertyValue
from pulumi.runtime.rpc import UNKNOWN as SIGN

from components.provider import values
from components.provider.shape import Anything, Property
from components.provider.unknown import UNKNOWN


def secret(value: PropertyValue | str) -> PropertyValue:
    return (value if isinstance(value, PropertyValue) else PropertyValue(value)).with_secret(True)


def box(**items: PropertyValue) -> PropertyValue:
    return PropertyValue(items)


@pytest.mark.parametrize("value", [None, True, 1.5, "a", [], {}, [1.0, ["a"], {"b": None}], {"a": {"b": [False]}}])
def test_a_plain_value_comes_back_as_it_went(value: object) -> None:
    assert values.plain(values.marked(value)) == value


def test_the_engines_sign_for_an_unknown_value_becomes_unknown_and_back() -> None:
    assert values.plain_all({"a": PropertyValue(SIGN), "b": secret(SIGN)}) == {"a": UNKNOWN, "b": UNKNOWN}
    assert values.marked([UNKNOWN]) == PropertyValue([PropertyValue(SIGN)])


def test_an_integer_becomes_the_only_number_there_is() -> None:
    assert values.marked(1).value == 1.0
    assert isinstance(values.marked(1).value, float)


def test_what_is_no_property_value_is_refused() -> None:
    with pytest.raises(TypeError, match="object is no property value"):
        values.marked(object())
    with pytest.raises(TypeError, match="is or holds a StringAsset, which no resource here takes"):
        values.plain(PropertyValue(pulumi.StringAsset("text")))


@pytest.mark.parametrize(
    ("value", "pattern", "expected"),
    [
        ("x", secret("y"), secret("x")),
        ("x", PropertyValue("y"), PropertyValue("x")),
        ("x", None, PropertyValue("x")),
        ({"a": "x", "b": "y"}, box(a=secret("x"), b=PropertyValue("y")), box(a=secret("x"), b=PropertyValue("y"))),
        ({"a": "x", "new": "y"}, box(a=secret("x")), box(a=secret("x"), new=PropertyValue("y"))),
        (
            ["x", "y"],
            PropertyValue([PropertyValue("x"), secret("y")]),
            PropertyValue([PropertyValue("x"), secret("y")]),
        ),
    ],
)
def test_an_echoed_value_is_secret_where_the_input_was(
    value: object, pattern: PropertyValue | None, expected: PropertyValue
) -> None:
    assert values.like(value, pattern) == expected


@pytest.mark.parametrize(
    ("value", "pattern"),
    [
        ({"other": "x"}, box(a=secret("x"))),
        (["x"], PropertyValue([PropertyValue("x"), secret("y")])),
        ("xy", box(a=secret("x"))),
        ({"a": "x"}, PropertyValue([secret("x")])),
    ],
)
def test_where_the_form_differs_all_is_secret(value: object, pattern: PropertyValue) -> None:
    assert values.like(value, pattern).is_secret


OUTPUTS = {
    "digest": Property(Anything(), "", derived=("flags", "salt")),
    "owner": Property(Anything(), ""),
}


def test_an_output_made_from_a_secret_is_secret() -> None:
    inputs = {"flags": box(a=secret("x")), "path": PropertyValue("/p")}
    dressed = values.dressed({"flags": {"a": "x"}, "path": "/p", "digest": "sha256:1", "owner": "me"}, inputs, OUTPUTS)
    assert dressed["digest"] == secret("sha256:1")
    assert dressed["flags"] == box(a=secret("x"))
    assert not dressed["owner"].contains_secret()
    assert not dressed["path"].contains_secret()


def test_an_output_made_from_something_unknown_is_unknown() -> None:
    inputs = {"flags": box(a=PropertyValue(SIGN))}
    dressed = values.dressed({"digest": "sha256:1", "owner": "me"}, inputs, OUTPUTS)
    assert dressed == {"digest": PropertyValue(SIGN), "owner": PropertyValue("me")}


def test_an_output_made_from_a_secret_that_is_unknown_is_both() -> None:
    dressed = values.dressed({"digest": "sha256:1"}, {"flags": secret(SIGN)}, OUTPUTS)
    assert dressed["digest"] == secret(SIGN)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (PropertyValue("x"), secret("x"), True),
        (secret("x"), secret("x"), False),
        (secret("x"), PropertyValue("x"), False),
        (PropertyValue("x"), PropertyValue("x"), False),
        (None, secret("x"), False),
        (PropertyValue("x"), None, False),
        (box(a=PropertyValue("x")), box(a=secret("x")), True),
        (secret(box(a=PropertyValue("x"))), box(a=secret("x")), False),
        (box(a=PropertyValue("x")), box(b=secret("x")), False),
        (PropertyValue([PropertyValue("x")]), PropertyValue([secret("x")]), True),
        (PropertyValue("x"), box(a=secret("x")), False),
    ],
)
def test_a_value_that_has_become_secret_is_noticed(
    old: PropertyValue | None, new: PropertyValue | None, expected: bool
) -> None:
    assert values.exposes(old, new) is expected


def test_messages_hide_secrets_and_the_passwords_in_them() -> None:
    marked = {
        "url": secret("postgresql://shop:p%40ss@db/shop"),
        "list": PropertyValue([secret("hunter2"), PropertyValue("plain")]),
        "map": secret(box(key=PropertyValue("inner"))),
        "short": secret("1"),
        "unknown": secret(SIGN),
        "number": secret(PropertyValue(1.0)),
        "odd": secret("http://["),
    }
    text = f"postgresql://shop:p%40ss@db/shop p@ss hunter2 plain inner 1 {SIGN}"
    assert values.scrubbed(text, marked) == f"[secret] [secret] [secret] plain [secret] 1 {SIGN}"
