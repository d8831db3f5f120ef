"""No password of a database URL is ever shown."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.schema.errors import SchemaError
from components.schema.urls import database_file, dialect_of, mask, masked, parse

# Short ones cannot be told from other words; what is in a URL is masked all the same.
PASSWORDS = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc", "Z")), min_size=5, max_size=30)


@pytest.mark.parametrize(
    ("url", "dialect", "driver"),
    [
        ("sqlite:////data/shop.db", "sqlite", "sqlite+pysqlite"),
        ("sqlite+aiosqlite:////data/shop.db", "sqlite", "sqlite+pysqlite"),
        ("postgresql://u:p@h/d", "postgresql", "postgresql+psycopg"),
        ("postgresql+asyncpg://u:p@h/d", "postgresql", "postgresql+psycopg"),
        ("postgres://u:p@h/d", "postgresql", "postgresql+psycopg"),
    ],
)
def test_whatever_driver_a_service_uses_ours_is_synchronous(url: str, dialect: str, driver: str) -> None:
    assert dialect_of(url) == dialect
    assert parse(url).drivername == driver


def test_other_databases_are_refused_by_name() -> None:
    with pytest.raises(SchemaError, match="SQLite and Postgres; this URL is for mysql"):
        parse("mysql://user:hunter22@host/name")


@pytest.mark.parametrize("url", ["", "hunter22", "not a url hunter22", "postgresql//u:hunter22@h"])
def test_what_is_no_url_is_not_repeated(url: str) -> None:
    with pytest.raises(SchemaError) as failure:
        parse(url)

    assert "hunter22" not in str(failure.value)
    assert failure.value.__cause__ is None


def test_an_sqlite_database_is_a_file() -> None:
    assert database_file("sqlite:////data/shop.db") == Path("/data/shop.db")
    for url in ("sqlite://", "sqlite:///:memory:", "sqlite:///file:x?mode=memory&uri=true"):
        with pytest.raises(SchemaError, match="outlives"):
            database_file(url)
    with pytest.raises(SchemaError, match="no SQLite"):
        database_file("postgresql://u:p@h/d")


@given(PASSWORDS)
def test_a_password_is_in_no_masked_text(password: str) -> None:
    url = f"postgresql://shop:{quote(password, safe='')}@db.example/shop"
    spoken = [url, password, quote(password, safe=""), quote_plus(password), f"password={password}"]
    text = f"connection to {' and '.join(spoken)} failed"

    shown = mask(text, url)

    for other in ("connection to ", " failed", "shop", "db.example", "password", "postgresql"):
        if password in other:
            return  # the sentence itself holds it
    assert password not in shown.replace("postgresql+psycopg", "").replace("***", "")
    assert password not in masked(url).replace("postgresql+psycopg", "").replace("***", "")


def test_passwords_of_other_urls_are_masked_as_well() -> None:
    assert mask("at redis://me:hunter22@cache:6379/0") == "at redis://me:***@cache:6379/0"
    assert mask("host=db password=hunter22 user=me") == "host=db password=*** user=me"
    assert mask("host=db password='hunter 22' user=me") == "host=db password=*** user=me"
