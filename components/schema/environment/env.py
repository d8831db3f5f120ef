# ruff: noqa: INP001 - Alembic executes this file, nobody imports it
"""The Alembic environment for teams that have `versions/` and nothing else.

Alembic executes this file; the connection comes from `components.schema.runner`.
"""

from __future__ import annotations

from alembic import context

if context.is_offline_mode():
    context.configure(dialect_name=context.config.attributes["dialect"], literal_binds=True)
    with context.begin_transaction():
        context.run_migrations()
else:
    with context.config.attributes["engine"].connect() as connection:
        context.configure(connection=connection, **context.config.attributes["options"])
        with context.begin_transaction():
            context.run_migrations()
