"""The steps between what a database has recorded and a revision."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from alembic.runtime.migration import RevisionStep
    from alembic.script import ScriptDirectory

    from components.schema.runner import Plan


def plan(revision: str, direction: Literal["up", "down"]) -> Plan:
    """The steps up or down to a revision, as `alembic upgrade` and `alembic downgrade` make them."""

    def steps(scripts: ScriptDirectory, heads: tuple[str, ...]) -> list[RevisionStep]:
        # `alembic.command` calls these very methods; there is no public way to have the steps one by one,
        # which it takes to say which of them failed. The annotations of Alembic name one head where it
        # takes all of them.
        if direction == "up":
            return scripts._upgrade_revs(revision, heads)  # type: ignore[arg-type]  # noqa: SLF001
        return scripts._downgrade_revs(revision, heads)  # type: ignore[arg-type]  # noqa: SLF001

    return steps
