"""YAML as editors and Pulumi read it, with a line for every value."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from launch.configuration.yaml_source import parse, read, scalar
from phases.errors import ConfigurationError


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("on", "on"),
        ("off", "off"),
        ("yes", "yes"),
        ("true", True),
        ("False", False),
        ("1:30", "1:30"),
        ("2024-01-01", "2024-01-01"),
        ("010", 10),
        ("0o10", 8),
        ("0x1F", 31),
        ("-3", -3),
        ("1.10", 1.1),
        (".5", 0.5),
        ("1e3", 1000.0),
        ("~", None),
        ("null", None),
        ("1_000", "1_000"),
        ("'5'", "5"),
        ("!!str 5", "5"),
        ("!!int '5'", 5),
        ("", None),
    ],
)
def test_scalars_are_those_of_yaml_1_2(text: str, value: object) -> None:
    read = parse(f"a: {text}", name="f").data["a"]
    assert read == value
    assert type(read) is type(value)


def test_infinity_and_no_number_are_floats() -> None:
    assert parse("[.inf, -.inf]", name="f").data == [math.inf, -math.inf]
    assert math.isnan(scalar(".nan"))


def test_every_value_knows_its_line_and_path() -> None:
    tree = parse("a:\n  b:\n    - c: 1\n\n      d e: 2\n", name="launch.yaml")
    assert str(tree.mark(("a", "b", 0, "c"))) == "launch.yaml:3: a.b[0].c"
    assert str(tree.mark(("a", "b", 0, "d e"))) == 'launch.yaml:5: a.b[0]."d e"'
    assert str(tree.mark(("a", "b", 0, "missing"))) == "launch.yaml:3: a.b[0].missing"


def test_anchors_aliases_and_merges_work() -> None:
    tree = parse("x: &x {a: 1, b: [2]}\ny: *x\nz: {<<: *x, a: 3}\nw: {<<: [{a: 5}, *x]}\n", name="f")
    assert tree.data == {
        "x": {"a": 1, "b": [2]},
        "y": {"a": 1, "b": [2]},
        "z": {"a": 3, "b": [2]},
        "w": {"a": 5, "b": [2]},
    }
    assert tree.mark(("z", "b", 0)).line == 1


def test_keys_are_words_even_where_they_look_like_something_else() -> None:
    assert parse("on: 1\n404: 2\nnull: 3\n", name="f").data == {"on": 1, "404": 2, "null": 3}


def test_an_empty_file_holds_nothing() -> None:
    assert parse("", name="f").data == {}
    assert parse("# only words\n", name="f").data == {}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: 2\na: 3", "f:3: a: this key is already on line 1; remove one of the two"),
        ("a:\n  b: {c: 1, c: 2}", "f:2: a.b.c: this key is already on line 2; remove one of the two"),
        ("a:\n\t- b", "f:2:1: this is not valid YAML: YAML is indented with spaces, and here is a tab"),
        ("a: b: c", "f:1:5: this is not valid YAML: mapping values are not allowed here"),
        ("a: *b", "f:1:4: this is not valid YAML: found undefined alias 'b'"),
        (
            "a: [1, 2\nb: 3",
            "f:2:2: this is not valid YAML: while parsing a flow sequence expected ',' or ']', but got ':'",
        ),
        ("a: 1\n---\nb: 2", "f:2:1: this is not valid YAML: here begins a second document; the file may hold only one"),
        ("a: \x07", "f:1:4: this is not valid YAML: '\\x07' is not allowed in it"),
        ("a: !secret x", "f:1: a: the tag !secret means nothing here; write the value alone"),
        ("a: !!binary x", "f:1: a: the tag !!binary means nothing here; write the value alone"),
        ("? [a]\n: b", "f:1: a key must be a word, not a list or a mapping"),
        (
            "a: &a\n  b: *a",
            "f:2: a.b: an alias stands for something that holds this very alias; a value cannot hold itself",
        ),
        ("a: {<<: 5}", "f:1: a: << merges mappings only: <<: *name"),
    ],
)
def test_what_is_no_yaml_is_said_with_its_place(text: str, message: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        parse(text, name="f")
    assert str(error.value) == message


def test_a_short_file_cannot_be_made_endless() -> None:
    bomb = "a: &a [1,1,1,1,1,1,1,1,1,1]\n" + "".join(
        f"{name}: &{name} [{','.join(['*' + before] * 10)}]\n"
        for before, name in zip("abcdefg", "bcdefgh", strict=True)
    )
    with pytest.raises(ConfigurationError, match="more than 50000 values once its aliases are followed"):
        parse(bomb, name="f")


def test_nesting_without_end_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="nested too deeply"):
        parse("[" * 5000, name="f")


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "latin.yaml").write_bytes(b"a: \xe9")
    with pytest.raises(ConfigurationError, match=r"^latin.yaml: byte 3 is not UTF-8"):
        read(tmp_path / "latin.yaml", name="latin.yaml")
    with pytest.raises(ConfigurationError, match=r"^gone.yaml: there is no such file"):
        read(tmp_path / "gone.yaml", name="gone.yaml")
    with pytest.raises(ConfigurationError, match=r"^dir: cannot be read: Is a directory"):
        read(tmp_path, name="dir")


def test_a_byte_order_mark_is_no_content(tmp_path: Path) -> None:
    (tmp_path / "f.yaml").write_bytes(b"\xef\xbb\xbfa: 1")
    assert read(tmp_path / "f.yaml", name="f").data == {"a": 1}


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])) | st.text(alphabet="ab: -[]{}&*!|>'\"%@`\n\t#?,<0.~"))
def test_any_text_is_read_or_refused(text: str) -> None:
    refusal = None
    try:
        parse(text, name="f")
    except ConfigurationError as error:
        refusal = str(error)
    assert refusal is None or refusal.startswith("f:")
