"""Which slot a request goes to."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.local.runtime.split import Share, Split

USERS = [f"user-{number}".encode() for number in range(4000)]


def shares(**weights: int) -> list[Share]:
    return [Share(slot, weight) for slot, weight in weights.items()]


def placed(split: Split) -> dict[bytes, str | None]:
    return {user: split.of_value(user) for user in USERS}


@given(weight=st.integers(0, 100), start=st.floats(0, 1, exclude_max=True), requests=st.integers(1, 500))
def test_any_run_of_requests_is_split_near_the_weights(weight: int, start: float, requests: int) -> None:
    """Off by few requests wherever one starts to count: chance would be off by 11 in 500 in one case of three."""
    split = Split(shares(old=100 - weight, new=weight), start=start)
    got = Counter(split.next() for _ in range(requests))
    assert abs(got["new"] - requests * weight / 100) <= 4


@pytest.mark.parametrize("stride", [2, 3, 5, 10])
def test_a_page_that_makes_the_same_requests_each_time_has_each_of_them_split(stride: int) -> None:
    """Round robin would send every second request of a 50:50 split to the same slot."""
    split = Split(shares(old=50, new=50))
    picked = [split.next() for _ in range(100 * stride)]
    for offset in range(stride):
        assert 45 <= Counter(picked[offset::stride])["new"] <= 55


def test_a_slot_without_weight_gets_nothing() -> None:
    split = Split(shares(old=0, new=100))
    assert {split.next() for _ in range(1000)} == {"new"}
    assert set(placed(split).values()) == {"new"}
    assert not split.has("old")
    assert split.has("new")


@pytest.mark.parametrize("none", [[], shares(old=0, new=0)])
def test_without_any_weight_there_is_no_slot(none: list[Share]) -> None:
    split = Split(none)
    assert split.next() is None
    assert split.of_value(b"anybody") is None


def test_a_recognised_user_always_gets_the_same_slot() -> None:
    assert placed(Split(shares(old=70, new=30))) == placed(Split(shares(new=30, old=70), start=0.5))


@pytest.mark.parametrize("weight", [1, 10, 50, 90])
def test_recognised_users_are_split_by_weight(weight: int) -> None:
    got = Counter(placed(Split(shares(old=100 - weight, new=weight))).values())
    assert got["new"] / len(USERS) == pytest.approx(weight / 100, abs=0.03)


@pytest.mark.parametrize(("before", "after"), [(1, 10), (10, 50), (50, 100), (50, 10), (10, 0)])
def test_users_move_only_towards_the_slot_that_gains(before: int, after: int) -> None:
    was = placed(Split(shares(old=100 - before, new=before)))
    now = placed(Split(shares(old=100 - after, new=after)))
    moved = [user for user in USERS if was[user] != now[user]]
    gaining = "new" if after > before else "old"
    assert {now[user] for user in moved} == {gaining}
    assert len(moved) / len(USERS) == pytest.approx(abs(after - before) / 100, abs=0.04)


def test_with_three_slots_those_whose_weight_stays_keep_their_users() -> None:
    was = placed(Split(shares(a=40, b=40, c=20)))
    now = placed(Split(shares(a=40, b=30, c=30)))
    assert {(was[user], now[user]) for user in USERS if was[user] != now[user]} <= {("b", "c"), ("a", "c"), ("b", "a")}
    assert sum(was[user] != now[user] for user in USERS) / len(USERS) < 0.15


def test_new_weights_go_on_where_the_sequence_was() -> None:
    """Otherwise weights that change often would send the first request after each change to the same slot."""
    split = Split(shares(old=50, new=50))
    picked: list[str | None] = []
    for _ in range(500):
        split = Split(shares(old=50, new=50), start=split.point)
        picked.append(split.next())
    assert Counter(picked)["new"] == pytest.approx(250, abs=4)
