"""Everybody who takes part. A new one is one module, and one line here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from bench.race.contestants.argo import Argo, ArgoAborted, ArgoFast
from bench.race.contestants.bare_loop import BareLoop
from bench.race.contestants.base import Contestant
from bench.race.contestants.flagger import Flagger
from bench.race.contestants.fresh_up import FreshUp
from bench.race.contestants.launch import Launch

LIMIT: Final = BareLoop.name
"""Whom nobody can beat; its figures stand beside everybody's."""

CONTESTANTS: Final[dict[str, Callable[[], Contestant]]] = {
    BareLoop.name: BareLoop,
    Launch.name: Launch,
    Argo.name: Argo,
    ArgoFast.name: ArgoFast,
    ArgoAborted.name: ArgoAborted,
    FreshUp.name: FreshUp,
    Flagger.name: Flagger,
}
"""By name, in the order in which they run."""
