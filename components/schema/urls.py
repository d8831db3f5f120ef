"""Database URLs: which dialect, which file, and never a password in a message."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from components.schema.errors import SchemaError

if TYPE_CHECKING:
    from sqlalchemy.engine import URL

SQLITE = "sqlite"
POSTGRES = "postgresql"

# The synchronous driver for each dialect; a service may well use an asynchronous one for the same database.
_DRIVERS = {SQLITE: "sqlite+pysqlite", POSTGRES: "postgresql+psycopg"}

# A password in anything that looks like a URL, and in libpq's keyword form.
_PASSWORDS = (
    (re.compile(r"(?P<head>[a-z][a-z0-9+.-]*://[^\s:/@'\"]*:)[^\s@'\"]+@", re.IGNORECASE), r"\g<head>***@"),
    (re.compile(r"(?P<head>\bpassword\s*=\s*)('[^']*'|[^\s&'\"]+)", re.IGNORECASE), r"\g<head>***"),
)


def parse(url: str) -> URL:
    """The URL with a synchronous driver.

    Raises:
        SchemaError: not a database URL, or a database that is neither SQLite nor Postgres.
    """
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        # The text itself may hold a password that could not be told apart from the rest.
        raise SchemaError(
            "the database URL cannot be read; it should look like sqlite:////absolute/path.db or "
            "postgresql://user:password@host/name"
        ) from None
    name = parsed.get_backend_name()
    if name == "postgres":  # the spelling of many hosting providers
        name = POSTGRES
    driver = _DRIVERS.get(name)
    if driver is None:
        raise SchemaError(f"schema migrations run on SQLite and Postgres; this URL is for {name}")
    return parsed.set(drivername=driver)


def dialect_of(url: str) -> str:
    """`sqlite` or `postgresql`.

    Raises:
        SchemaError: see `parse`.
    """
    return parse(url).get_backend_name()


def database_file(url: str) -> Path:
    """The file of an SQLite URL.

    Raises:
        SchemaError: the URL is not for SQLite, or its database lives in memory.
    """
    parsed = parse(url)
    if parsed.get_backend_name() != SQLITE:
        raise SchemaError(f"{masked(url)} is no SQLite database, so it has no file")
    name = parsed.database or ""
    if name in {"", ":memory:"} or name.startswith("file:") or parsed.query.get("mode") == "memory":
        raise SchemaError(
            "a migration needs an SQLite file that outlives it; give a plain path: sqlite:////absolute/path.db"
        )
    return Path(name)


def masked(url: str) -> str:
    """The URL as it may be shown: without its password."""
    try:
        return parse(url).render_as_string(hide_password=True)
    except SchemaError:
        return "the database URL"


def mask(text: str, url: str | None = None) -> str:
    """The text without the password of `url`, or of anything else that looks like a URL."""
    if url is not None:
        text = _without(text, url)
    for pattern, replacement in _PASSWORDS:
        text = pattern.sub(replacement, text)
    return text


def _without(text: str, url: str) -> str:
    """The text without the URL and without its password, quoted or not."""
    from urllib.parse import quote, quote_plus

    text = text.replace(url, masked(url))
    try:
        password = parse(url).password
    except SchemaError:
        return text
    if not password:
        return text
    for spelling in sorted({password, quote(password, safe=""), quote_plus(password)}, key=len, reverse=True):
        # A password of one or two letters cannot be masked without making every message unreadable; the
        # patterns still catch it where it stands in a URL.
        if len(spelling) > 2:
            text = text.replace(spelling, "***")
    return text
