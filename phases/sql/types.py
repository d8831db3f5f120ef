"""Whether a column's new type takes every value of the old one, and gives back what went in."""

from __future__ import annotations

from sqlglot import exp

_T = exp.DataType.Type

# Within a family every type holds what the ones before it hold, and a program reads the same kind of value.
_FAMILIES = (
    (_T.SMALLINT, _T.INT, _T.BIGINT),
    (_T.SMALLSERIAL, _T.SERIAL, _T.BIGSERIAL),
    (_T.FLOAT, _T.DOUBLE),
)
_TEXTS = frozenset({_T.VARCHAR, _T.NVARCHAR, _T.TEXT, _T.NAME})
_EXACT = frozenset({_T.DECIMAL})


def widens(old: exp.DataType | None, new: exp.DataType | None, *, dialect: str) -> bool:
    """Return whether nothing that fitted `old` is lost in `new`. False where that is not known.

    On SQLite a declared type is a preference and not a limit (sqlite.org/datatype3.html): lengths are ignored there.
    """
    if old is None or new is None:
        return old is new and dialect == "sqlite"
    if old == new or old.sql().upper() == new.sql().upper():
        return True
    if old.this in _TEXTS and new.this in _TEXTS:
        return dialect == "sqlite" or _wide_enough(_length(old), _length(new))
    if old.this in _EXACT and new.this in _EXACT:
        return _decimal_widens(old, new)
    for family in _FAMILIES:
        if old.this in family and new.this in family:
            return family.index(new.this) >= family.index(old.this)
    return False


def rewrites(old: exp.DataType | None, new: exp.DataType) -> bool:
    """Return whether Postgres has to write every row for it, which keeps everyone out meanwhile.

    Not for a longer VARCHAR, TEXT, or a NUMERIC of the same scale (postgresql.org, ALTER TABLE, notes).
    """
    if old is None:
        return True
    both = {old.this, new.this}
    return not (both <= _TEXTS or both <= _EXACT or old == new)


def _length(data_type: exp.DataType) -> int | None:
    """The limit of characters; None for no limit."""
    if data_type.this == _T.TEXT or not data_type.expressions:
        return None
    try:
        return int(data_type.expressions[0].name)
    except ValueError:
        return 0


def _wide_enough(old: int | None, new: int | None) -> bool:
    return new is None or (old is not None and new >= old)


def _decimal_widens(old: exp.DataType, new: exp.DataType) -> bool:
    """Digits before and after the point may only become more; without any, Postgres sets no limit."""
    if not new.expressions:
        return True
    if not old.expressions:
        return False
    old_digits, old_scale = _digits(old)
    new_digits, new_scale = _digits(new)
    # A larger scale gives back 1.50 where 1.5 went in; equal numbers, so that is no harm.
    return new_scale >= old_scale and new_digits - new_scale >= old_digits - old_scale


def _digits(data_type: exp.DataType) -> tuple[int, int]:
    numbers = [int(part.name) for part in data_type.expressions if part.name.isdigit()]
    return (numbers[0] if numbers else 0), (numbers[1] if len(numbers) > 1 else 0)
