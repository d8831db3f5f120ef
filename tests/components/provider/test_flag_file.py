"""What a flag file holds, and when it is ours."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from components.provider.resource import UNKNOWN, Change, Context, Edit, ResourceFailure, Values
from components.provider.resources.flag_file import FlagFile, content

FLAG = {"state": "ENABLED", "variants": {"on": True, "off": False}, "defaultVariant": "off"}


@pytest.fixture
def flags(tmp_path: Path) -> Values:
    return {"path": str(tmp_path / "conf" / "flags.json"), "flags": {"a": FLAG}}


def create(inputs: Values) -> tuple[str, Values]:
    return FlagFile().create(inputs, Context())


@pytest.mark.parametrize(
    ("flag", "path", "reason"),
    [
        ({"variants": {}, "state": "ENABLED"}, 'flags["a-b"].variants', "is empty; a flag needs at least one variant"),
        (
            {**FLAG, "variants": {"on": True, "off": "no"}},
            'flags["a-b"].variants',
            "mixes boolean and string; all variants of a flag have one type",
        ),
        ({**FLAG, "variants": {"on": True, "off": 0.0}}, 'flags["a-b"].variants', "mixes boolean and number; "),
        (
            {**FLAG, "defaultVariant": "maybe"},
            'flags["a-b"].defaultVariant',
            "is 'maybe', but the variants are 'on', 'off'",
        ),
    ],
)
def test_a_flag_that_cannot_be_evaluated_is_a_mistake(flag: dict[str, Any], path: str, reason: str) -> None:
    (failure,) = FlagFile().check({"path": "/p", "flags": {"a-b": flag}}, None)
    assert failure.path == path
    assert failure.reason.startswith(reason)


@pytest.mark.parametrize(
    "flag",
    [
        FLAG,
        {"state": "DISABLED", "variants": {"x": 1.0, "y": 2.5}},
        {"state": "ENABLED", "variants": {"x": {"a": 1.0}, "y": {}}, "defaultVariant": "y"},
        {**FLAG, "targeting": {"if": [{"==": [{"var": "tier"}, "beta"]}, "on", "off"]}},
        {**FLAG, "defaultVariant": UNKNOWN},
        {**FLAG, "variants": UNKNOWN},
        {**FLAG, "variants": {"on": UNKNOWN, "off": False}},
        UNKNOWN,
    ],
)
def test_what_flagd_takes_or_nobody_knows_yet_passes(flag: Any) -> None:  # noqa: ANN401 - a flag or UNKNOWN
    assert FlagFile().check({"path": "/p", "flags": {"a": flag}}, None) == []


def test_flags_that_nobody_knows_yet_pass() -> None:
    assert FlagFile().check({"path": "/p", "flags": UNKNOWN}, None) == []


def test_the_same_flags_are_the_same_bytes_whatever_their_order() -> None:
    assert content({"a": FLAG, "b": FLAG}) == content({"b": dict(reversed(FLAG.items())), "a": FLAG})


@pytest.mark.parametrize(
    ("variants", "written"),
    [
        ({"few": 1.0, "many": 100.0}, '"few": 1,'),
        ({"half": 0.5, "full": 1.0}, '"full": 1.0,'),
        ({"a": {"limit": 3.0, "shares": [1.0, 0.5]}}, '"limit": 3,'),
    ],
)
def test_whole_numbers_are_written_as_such_unless_the_flag_has_fractions(
    variants: dict[str, Any], written: str
) -> None:
    text = content({"a": {"state": "ENABLED", "variants": variants}}).decode()
    assert written in text


def test_create_read_update_delete(flags: Values) -> None:
    path = Path(flags["path"])
    id_, outputs = create(flags)
    assert id_ == str(path)
    assert json.loads(path.read_text())["flags"] == {"a": FLAG}
    found = FlagFile().read(id_, outputs, flags)
    assert found is not None
    assert (found.outputs, found.inputs) == (outputs, None)

    changed = {**flags, "flags": {"a": {**FLAG, "state": "DISABLED"}}}
    updated = FlagFile().update(id_, outputs, changed, Context())
    assert json.loads(path.read_text())["flags"]["a"]["state"] == "DISABLED"
    assert updated["owner"] == outputs["owner"]
    assert updated["digest"] != outputs["digest"]

    FlagFile().delete(id_, updated, Context())
    assert list(path.parent.iterdir()) == []
    FlagFile().delete(id_, updated, Context())
    assert FlagFile().read(id_, updated, changed) is None


def test_what_a_killed_create_left_is_taken_over(flags: Values) -> None:
    create(flags)
    _, outputs = create({**flags, "flags": {}})
    assert outputs["flags"] == {}


def test_a_file_of_somebody_else_is_refused(flags: Values) -> None:
    Path(flags["path"]).parent.mkdir()
    Path(flags["path"]).write_text("{}")
    with pytest.raises(
        ResourceFailure, match="exists and is not ours: remove it, name another path, or use `pulumi import`"
    ):
        create(flags)


def test_a_place_that_cannot_be_written_is_named(flags: Values) -> None:
    Path(flags["path"]).parent.write_text("a file where a directory should be")
    with pytest.raises(ResourceFailure, match=r"cannot write .*flags.json: "):
        create(flags)
    with pytest.raises(ResourceFailure, match=r"cannot write .*flags.json: "):
        FlagFile().update(flags["path"], flags, flags, Context())
    assert FlagFile().read(flags["path"], flags, flags) is None


def test_a_delete_of_the_earlier_resource_leaves_the_newer_ones_file(flags: Values) -> None:
    id_, earlier = create(flags)
    _, newer = create(flags)
    FlagFile().delete(id_, earlier, Context())
    assert Path(id_).exists()
    FlagFile().delete(id_, newer, Context())
    assert not Path(id_).exists()


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"flags": []}'])
def test_a_damaged_file_reads_as_one_without_flags(flags: Values, text: str) -> None:
    id_, outputs = create(flags)
    Path(id_).write_text(text)
    found = FlagFile().read(id_, outputs, flags)
    assert found is not None
    assert found.outputs["flags"] == {}
    assert FlagFile().diff(found.outputs, flags) == Change(changed={"flags.a": Edit.ADD})


def test_an_import_takes_the_file_over(flags: Values) -> None:
    path = Path(flags["path"])
    path.parent.mkdir()
    path.write_bytes(content(flags["flags"]))
    found = FlagFile().read(str(path), {}, {})
    assert found is not None
    assert found.inputs == flags
    FlagFile().delete(str(path), found.outputs, Context())
    assert not path.exists()


def test_a_preview_knows_the_digest(flags: Values) -> None:
    preview = FlagFile().preview(flags, None)
    assert preview["owner"] is UNKNOWN
    _, outputs = create(flags)
    assert preview["digest"] == outputs["digest"]
    assert FlagFile().preview(flags, outputs) == outputs
    assert FlagFile().preview({**flags, "flags": {"a": UNKNOWN}}, outputs)["digest"] is UNKNOWN


def test_only_another_path_replaces(flags: Values) -> None:
    _, outputs = create(flags)
    assert FlagFile().diff(outputs, flags) == Change()
    assert FlagFile().diff(outputs, {**flags, "flags": {}}).replaced == ()
    assert FlagFile().diff(outputs, {**flags, "path": "/elsewhere"}).replaced == ("path",)
