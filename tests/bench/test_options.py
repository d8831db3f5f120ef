"""What may be chosen of a race."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.race.contestants.registry import CONTESTANTS, LIMIT
from bench.race.options import options


def test_by_default_everybody_has_thirty() -> None:
    chosen = options({}, CONTESTANTS)
    assert (chosen.only, chosen.record) == ((), None)
    assert {chosen.breaches_of(name) for name in CONTESTANTS} == {30}


def test_one_may_have_another_number() -> None:
    chosen = options({"RACE_BREACHES": "2,flagger=1", "RACE_RECORD": "race.jsonl"}, CONTESTANTS)
    assert (chosen.breaches_of("argo"), chosen.breaches_of("flagger")) == (2, 1)
    assert chosen.record == Path("race.jsonl")


def test_one_may_be_alone() -> None:
    assert options({"RACE_ONLY": "launch, argo"}, CONTESTANTS).only == ("launch", "argo")


@pytest.mark.parametrize("environ", [{"RACE_ONLY": "lunch"}, {"RACE_BREACHES": "lunch=3"}], ids=["only", "breaches"])
def test_nobody_unknown_takes_part(environ: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="there is no contestant lunch; there are bare-loop, launch, argo"):
        options(environ, CONTESTANTS)


def test_everybody_is_known_by_their_own_name() -> None:
    assert LIMIT in CONTESTANTS
    assert {name: made.name for name, made in ((name, make()) for name, make in CONTESTANTS.items())} == {
        name: name for name in CONTESTANTS
    }
