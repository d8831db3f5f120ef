"""Which of two revisions is the later, and what a database says of itself."""

from __future__ import annotations

import pytest

from components.kubernetes.jobs.order import OrderUnknown, direction, reported


@pytest.mark.parametrize(
    ("since", "target", "histories", "way"),
    [
        ("base", "0001", (), "up"),
        ("0001", "base", (), "down"),
        ("beef", "cafe", (["beef", "cafe"],), "up"),
        ("cafe", "beef", (["beef"], ["beef", "cafe"]), "down"),
        ("0002", "0001", (["0002", "0001"],), "up"),  # a list counts for more than a name
        ("0009", "0010", (), "up"),
        ("0003_price", "0002_orders", (), "down"),
        ("20261124_a", "20261125_b", (["other"],), "up"),
    ],
)
def test_the_way_follows_from_the_history_or_from_the_numbers(
    since: str, target: str, histories: tuple[list[str], ...], way: str
) -> None:
    assert direction(since, target, *histories) == way


@pytest.mark.parametrize(
    ("since", "target"),
    [("beef", "cafe"), ("1975ea83b712", "27c6a30d7c24"), ("9", "10"), ("0001", "0001_b"), ("v1", "v2")],
)
def test_nothing_is_guessed(since: str, target: str) -> None:
    with pytest.raises(OrderUnknown, match="list all revisions, oldest first"):
        direction(since, target, [since], [target])


@pytest.mark.parametrize(
    ("log", "revision"),
    [
        ("", "base"),
        ("INFO  [alembic.runtime.migration] Context impl PostgresqlImpl.\n", "base"),
        ("INFO  [alembic] Context\n0002 (head)\n", "0002"),
        ("0002 (head) (mergepoint)", "0002"),
        ("ae1027a6acf\n", "ae1027a6acf"),
        ("0001\nDone", "0001"),
        ("base", "base"),
        ("  20261125-orders  ", "20261125-orders"),
    ],
)
def test_a_revision_stands_alone_on_its_line(log: str, revision: str) -> None:
    assert reported(log, ["0001", "0002"]) == revision
