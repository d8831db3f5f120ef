"""What can be known of a team's `env.py` without running it."""

from __future__ import annotations

from pathlib import Path

import pytest

from components.schema.environments import literal_options


@pytest.mark.parametrize(
    ("source", "options"),
    [
        ("context.configure(connection=c)", {}),
        ("context.configure(connection=c, version_table='v')", {"version_table": "v"}),
        ("def a():\n    context.configure(url=u)\ndef b():\n    context.configure(connection=c)", {}),
        (
            "context.configure(connection=c, version_table='v', version_table_schema='s')",
            {"version_table": "v", "version_table_schema": "s"},
        ),
        ("context.configure(connection=c, version_table_schema=None)", {"version_table_schema": None}),
        ("context.configure(connection=c, version_table=NAME)", None),
        ("context.configure(connection=c, **options)", None),
        ("context.configure(url=u)\ncontext.configure(connection=c, version_table='v')", None),
        ("run_migrations()", None),
        ("def broken(:", None),
    ],
)
def test_only_what_is_certain_counts(tmp_path: Path, source: str, options: dict[str, str | None] | None) -> None:
    env = tmp_path / "env.py"
    env.write_text(source, encoding="utf-8")

    assert literal_options(env) == options


def test_no_file_says_nothing(tmp_path: Path) -> None:
    assert literal_options(tmp_path / "env.py") is None
