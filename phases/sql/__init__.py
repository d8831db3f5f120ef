"""Reads migration SQL and says, statement by statement, whether the version before can live beside it."""
