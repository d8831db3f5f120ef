"""The race: thirty breaches of each contestant, one contestant after the other, all on the same stage."""

from __future__ import annotations

import json
import os
import sys
import time
import traceback
from collections.abc import Iterator

from bench.measurement import Measurement
from bench.race.actors.actor import Actor
from bench.race.conditions import WEIGHT, moments
from bench.race.contestants.base import Contestant
from bench.race.contestants.registry import CONTESTANTS, LIMIT
from bench.race.figures import Breach, measurements
from bench.race.options import Options, options
from bench.race.plugin import is_real
from bench.race.stage import Stage, stage
from tests.cluster import built

_BAKE_SECONDS = 180.0


def run() -> Iterator[Measurement]:
    """Run it, and give the figures of each contestant as soon as it has ended."""
    chosen = options(os.environ, CONTESTANTS)
    if missing := built.missing():
        raise RuntimeError(f"there is no control plane to race on: {', '.join(missing)} not built; run `make cluster`")
    yield Measurement("race.real_kubernetes_plugin", float(is_real(os.environ)), "1 or 0")
    limit: list[Breach] = []
    with stage() as here:
        for name in chosen.only or CONTESTANTS:
            breaches: list[Breach] = []
            try:
                _breaches(CONTESTANTS[name](), here, chosen, breaches)
            except Exception:  # noqa: BLE001 - whoever breaks down keeps what it has, and the others go on
                print(f"race: {name} broke down after {len(breaches)} breaches", file=sys.stderr, flush=True)
                traceback.print_exc()
            if name == LIMIT:
                limit = breaches
            yield from measurements(breaches, [] if name == LIMIT else limit)


def _breaches(contestant: Contestant, here: Stage, chosen: Options, found: list[Breach]) -> None:
    """Add each breach as soon as it has ended."""
    with here.turn():
        try:
            contestant.open(here)
            for number, moment in enumerate(moments(chosen.breaches_of(contestant.name))):
                found.append(_breach(contestant, here, moment))
                _note(chosen, found[-1], number)
                contestant.rest()
        finally:
            here.calm()
            contestant.close()


def _breach(contestant: Contestant, here: Stage, moment: float) -> Breach:
    here.prometheus.wait_until_clean()
    with Actor("seeing", {"prometheus": here.prometheus.url}) as seeing:
        seeing.hear()
        begun = time.time()
        contestant.bake()
        here.weights.wait(lambda seen: seen == WEIGHT, since=begun, limit=_BAKE_SECONDS, what="half of the users")
        here.wait_for_the_moment(contestant.settle)
        breached = here.breach(moment)
        seeing.tell({})
        try:
            safe = here.weights.wait(
                lambda seen: seen == 0, since=breached, limit=contestant.patience, what="nobody on the bad version"
            )
        finally:
            here.calm()
        visible = float(seeing.hear()["at"])
    return Breach(
        contestant=contestant.name,
        breached=breached,
        visible=visible,
        verdict=contestant.verdict(breached),
        safe=safe,
        weights=tuple(here.weights.since(breached)),
    )


def _note(chosen: Options, breach: Breach, number: int) -> None:
    """Keep the single breach, and show a person that it goes on."""
    figures = {name: round(value, 4) for name, value in breach.figures().items()}
    print(f"race: {breach.contestant} {number + 1}: {figures}", file=sys.stderr, flush=True)
    if chosen.record is not None:
        with chosen.record.open("a", encoding="utf-8") as file:
            file.write(json.dumps(breach.to_json()) + "\n")
