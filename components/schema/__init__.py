"""Schema migrations through Alembic, on SQLite and Postgres; knows nothing of Pulumi.

Every function that touches a database takes a SQLAlchemy URL and a script directory: one with `env.py` and
`versions/` as Alembic's own `init` makes it, or one with `versions/*.py` alone.
"""
