"""What can be known from a script directory alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from components.schema import scripts
from components.schema.errors import ScriptsError
from components.schema.reversible import one_way

WriteScripts = Callable[..., Path]

EMPTY = "def upgrade():\n    pass\n\n\ndef downgrade():\n    pass\n"
ACTS = "def upgrade():\n    print(1)\n\n\n"


def test_revisions_are_found_by_all_their_names(write_scripts: WriteScripts) -> None:
    where = write_scripts({"aa0001": EMPTY, "bb0002": EMPTY, "bb0003": EMPTY})

    assert scripts.head(where) == "bb0003"
    assert scripts.resolve(where, "head") == "bb0003"
    assert scripts.resolve(where, "aa0001") == "aa0001"
    assert scripts.resolve(where, "aa00") == "aa0001"
    assert scripts.resolve(where, "base") == "base"
    assert scripts.path_down(where, "bb0002") == ("bb0002", "aa0001")
    assert scripts.path_down(where, None) == ()
    assert [script.revision for script in scripts.between(where, "aa0001", "bb0003")] == ["bb0002", "bb0003"]
    assert scripts.knows(where, None)
    assert not scripts.knows(where, "0c1")


def test_no_migrations_is_a_schema_too(write_scripts: WriteScripts) -> None:
    assert scripts.head(write_scripts({})) == "base"


@pytest.mark.parametrize("revision", ["cc0001", "bb00", "head-9"])
def test_what_is_not_there_or_not_certain_is_refused(write_scripts: WriteScripts, revision: str) -> None:
    where = write_scripts({"aa0001": EMPTY, "bb0002": EMPTY, "bb0003": EMPTY})

    with pytest.raises(ScriptsError):
        scripts.resolve(where, revision)


def test_a_directory_that_is_none_says_what_it_should_hold(tmp_path: Path) -> None:
    with pytest.raises(ScriptsError, match="does not exist"):
        scripts.head(tmp_path / "nowhere")
    with pytest.raises(ScriptsError, match="has no folder `versions`"):
        scripts.head(tmp_path)


def test_a_broken_revision_is_named_with_its_error(write_scripts: WriteScripts) -> None:
    with pytest.raises(ScriptsError, match="NameError: name 'nonsense'"):
        scripts.head(write_scripts({"0a1": "nonsense\n"}))


def test_a_hole_in_the_line_is_named(write_scripts: WriteScripts) -> None:
    where = write_scripts({"0a1": EMPTY, "0b2": EMPTY})
    (where / "versions" / "0a1_step.py").unlink()

    with pytest.raises(ScriptsError, match="follows revision '0a1', which is not there"):
        scripts.head(where)


def test_reading_leaves_no_bytecode_in_an_artifact(write_scripts: WriteScripts) -> None:
    where = write_scripts({"0a1": EMPTY})
    scripts.head(where)

    assert [path.name for path in where.rglob("*") if path.is_file()] == ["0a1_step.py"]


def test_a_path_may_hold_anything(write_scripts: WriteScripts) -> None:
    assert scripts.head(write_scripts({"0a1": EMPTY}, name="50% of: all; my migrations")) == "0a1"


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (ACTS + "def downgrade():\n    print(2)\n", None),
        (ACTS + "def downgrade():\n    'Says something.'\n    print(2)\n", None),
        (ACTS + "def downgrade():\n    if x:\n        raise NotImplementedError\n", None),
        (ACTS + "def downgrade():\n    pass\n", "its downgrade does nothing"),
        (ACTS + "def downgrade():\n    ...\n", "its downgrade does nothing"),
        (ACTS + "def downgrade():\n    'There is none.'\n    return\n", "its downgrade does nothing"),
        (ACTS + "def downgrade():\n    raise NotImplementedError\n", "its downgrade only raises"),
        (ACTS + "def downgrade():\n    'No.'\n    raise RuntimeError('no way back')\n", "its downgrade only raises"),
        (ACTS, "it has no downgrade"),
        (ACTS + "downgrade = print\n", None),
        (ACTS + "from os import getcwd as downgrade\n", None),
        (EMPTY, None),
        ("def upgrade():\n    pass\n", None),
        (
            "def upgrade():\n    pass\n\n\ndef downgrade():\n    raise NotImplementedError\n",
            "its downgrade only raises",
        ),
    ],
)
def test_migrations_without_a_way_down(write_scripts: WriteScripts, source: str, reason: str | None) -> None:
    found = one_way(write_scripts({"0a1": source}), None, "0a1")

    assert [each.reason for each in found] == ([] if reason is None else [reason])


def test_only_those_on_the_way_count(write_scripts: WriteScripts) -> None:
    where = write_scripts({"0a1": ACTS, "0b2": EMPTY, "0c3": ACTS})

    assert [each.revision for each in one_way(where, "0a1", "0c3")] == ["0c3"]
    assert one_way(where, "0a1", "base") == ()
