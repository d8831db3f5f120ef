"""When the breaches begin: at every part of the scrape's interval, and for everybody alike."""

from __future__ import annotations

from bench.race.conditions import SCRAPE_SECONDS, moments


def test_each_part_of_the_interval_has_one_breach() -> None:
    found = moments(30)

    assert sorted(int(moment / SCRAPE_SECONDS * 30) for moment in found) == list(range(30))
    assert found != sorted(found), "in random order: a machine that gets slower must not be seen as a late moment"


def test_everybody_has_the_same_ones() -> None:
    assert moments(30) == moments(30)
