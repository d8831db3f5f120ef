"""Whatever happened before - releases up and down, failures, kills, work by hand - the schema ends where it should."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from components.provider.resource import Context, PartialFailure, ResourceFailure
from components.provider.resources.revision import Revision
from components.schema import changes, migrate

pytestmark = pytest.mark.integration

RESOURCE = Revision()
CONTEXT = Context()
LENGTH = 5
"""Migrations on each of two lines, which part after the second."""


def name_of(line: str, number: int) -> str:
    return f"{number:04}" if number <= 2 else f"{number:04}{line}"


def expected(revision: str, line: str) -> set[str]:
    """The tables at a revision: one for each migration up to there."""
    if revision == "base":
        return set()
    number, own = int(revision[:4]), revision[4:] or line
    return {f"t{name_of(own, each)}" for each in range(1, number + 1)}


class Walk(RuleBasedStateMachine):
    """A database, its resource, and releases that come and go."""

    def __init__(self) -> None:
        super().__init__()
        self.root = Path(tempfile.mkdtemp(prefix="launch-walk-"))
        self.url = f"sqlite:///{self.root / 'shop.db'}"
        self.count = 0
        self.id = ""
        self.outputs: dict[str, Any] | None = None
        self.found = "base"
        self.at = "base"

    def teardown(self) -> None:
        shutil.rmtree(self.root)

    def release(self, line: str, newest: int, *, broken: bool = False) -> tuple[Path, str]:
        """Scripts up to a migration, in a directory of their own as each artifact has."""
        self.count += 1
        versions = self.root / f"release-{self.count}" / "versions"
        versions.mkdir(parents=True)
        before = None
        for number in range(1, newest + 1):
            name = name_of(line, number)
            fails = ""
            if broken and number == newest:  # under a name of its own: no good release has it
                name, fails = f"{name}x", "    op.execute('INSERT INTO nowhere VALUES (1)')\n"
            (versions / f"{name}.py").write_text(
                f"from alembic import op\nrevision, down_revision = {name!r}, {before!r}\n"
                f"def upgrade():\n    op.execute('CREATE TABLE t{name} (id INTEGER)')\n{fails}"
                f"def downgrade():\n    op.execute('DROP TABLE t{name}')\n",
                encoding="utf-8",
            )
            before = name
        return versions.parent, before or "base"

    def inputs(self, scripts: Path, revision: str) -> dict[str, Any]:
        directory = str(self.root / "state")
        return {
            "url": self.url,
            "scripts": str(scripts),
            "revision": revision,
            "snapshot": False,
            "directory": directory,
        }

    def apply(self, inputs: dict[str, Any]) -> None:
        """What the engine does with new inputs."""
        assert RESOURCE.check(inputs, self.outputs) == []
        try:
            if self.outputs is None:
                self.id, self.outputs = RESOURCE.create(inputs, CONTEXT)
            elif RESOURCE.diff(self.outputs, inputs).changed:
                self.outputs = RESOURCE.update(self.id, self.outputs, inputs, CONTEXT)
        except PartialFailure as failure:
            self.id, self.outputs = failure.id or self.id, failure.outputs
            raise
        finally:
            self.at = self.revision()

    def revision(self) -> str:
        scripts, _ = self.release("a", 1)
        return migrate.current(self.url, scripts) or "base"

    def tables(self) -> set[str]:
        if not (self.root / "shop.db").exists():
            return set()
        with contextlib.closing(sqlite3.connect(self.root / "shop.db")) as connection:
            rows = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE 't0%'")
            return {str(name) for (name,) in rows}

    @initialize(newest=st.integers(0, 2))
    def something_may_be_there(self, newest: int) -> None:
        scripts, self.found = self.release("a", newest)
        if newest:
            migrate.move_to(self.url, scripts=scripts, revision=self.found)
        self.at = self.found

    @rule(line=st.sampled_from("ab"), newest=st.integers(2, LENGTH))
    def launch(self, line: str, newest: int) -> None:
        scripts, revision = self.release(line, newest)
        self.apply(self.inputs(scripts, revision))
        assert self.at == revision

    @rule(line=st.sampled_from("ab"), newest=st.integers(3, LENGTH))
    def fail(self, line: str, newest: int) -> None:
        scripts, revision = self.release(line, newest, broken=True)
        with pytest.raises(ResourceFailure):
            self.apply(self.inputs(scripts, revision))
        if self.outputs is not None:
            assert self.outputs["revision"] == self.at

    @precondition(lambda self: self.outputs is not None)
    @rule(line=st.sampled_from("ab"), newest=st.integers(2, LENGTH), refreshed=st.booleans())
    def killed_before_it_was_recorded(self, line: str, newest: int, *, refreshed: bool) -> None:
        scripts, revision = self.release(line, newest)
        recorded = self.outputs
        self.apply(self.inputs(scripts, revision))
        self.outputs = recorded
        if refreshed:
            self.refresh()
        else:  # the state before is replayed
            assert recorded is not None
            self.apply({name: recorded[name] for name in RESOURCE.inputs if name in recorded})
            assert self.at == recorded["revision"]

    @rule(line=st.sampled_from("ab"), newest=st.integers(2, LENGTH), part=st.integers(0, LENGTH))
    def killed_halfway_and_tried_again(self, line: str, newest: int, part: int) -> None:
        scripts, revision = self.release(line, newest)
        change = changes.change

        def killed(url: str, **options: Any) -> None:  # noqa: ANN401 - whatever it is given
            change(url, **{**options, "revision": name_of(line, min(part, newest)) if part else "base"})
            raise KeyboardInterrupt

        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(changes, "change", killed)
            with contextlib.suppress(KeyboardInterrupt):
                self.apply(self.inputs(scripts, revision))
        self.refresh()
        self.apply(self.inputs(scripts, revision))
        assert self.at == revision

    @precondition(lambda self: self.outputs is not None)
    @rule()
    def refresh(self) -> None:
        if self.outputs is None:
            return
        found = RESOURCE.read(self.id, self.outputs, self.outputs)
        self.outputs = None if found is None else found.outputs
        self.at = self.revision()

    @precondition(lambda self: self.count > 3)
    @rule()
    def old_artifacts_are_cleaned_up(self) -> None:
        for release in self.root.glob("release-*"):
            shutil.rmtree(release)

    @precondition(lambda self: self.outputs is not None)
    @rule()
    def destroy(self) -> None:
        assert self.outputs is not None
        RESOURCE.delete(self.id, self.outputs, CONTEXT)
        assert not (self.root / "state").exists()
        assert (self.root / "shop.db").exists() is (self.found != "base")
        self.outputs = None
        self.at = self.revision()
        assert self.at == self.found

    @invariant()
    def tables_are_those_of_the_revision(self) -> None:
        assert self.tables() == expected(self.at, "a")


Walk.TestCase.settings = settings(
    max_examples=20,
    stateful_step_count=12,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # making a failing walk shorter takes many minutes
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
TestWalk = pytest.mark.integration(Walk.TestCase)
