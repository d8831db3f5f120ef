"""A launch of five phases with instant gates against the same `pulumi up`s by hand, in turn in one run.

The strict baseline are the updates of the phases' stacks alone, which is what somebody types who keeps no record; the
other one has the ledger's as well, each of which is an update too.
"""

from __future__ import annotations

import json
import os
import statistics
import time
from collections.abc import Iterator
from pathlib import Path

from pulumi import automation as auto

from bench.measurement import Measurement
from bench.project import ROOT, Project, project
from components.local.platform import LocalPlatform
from components.platform import BackendSpec, FlagsSpec, SplitSpec
from stacks import traffic
from stacks.marker import Marker

ROUNDS = 5
SEQUENCE = """
launch:
  rollback_threshold: { error_rate: 0.02, min_requests: 20, on_inconclusive: continue }
  flags: [{ key: new_checkout, owner: bench, expires: 2099-01-01, cleanup: none }]
  phases:
    - id: migration
      validators: [{ type: rollback_ready }]
    - id: deploy
      validators: [{ type: image_digest }]
    - id: health
      validators: [{ type: http_status, config: { endpoint: /health } }]
    - id: traffic
      validators: [{ type: flag_cleanup }]
      steps: [{ weight: 10 }, { weight: 50 }, { weight: 100 }]
    - id: post_launch
      on_inconclusive: continue
      window: 0s
"""


def run() -> Iterator[Measurement]:
    """Launch 2.0 and 1.0 by turns; after each launch make as many updates by hand as it made."""
    with project(SEQUENCE, versions=("1.0", "2.0")) as shop:
        shop.completed("shop:1.0")
        launches, by_hand, with_ledger, phases, ledger = [], [], [], 0, 0
        for number in range(ROUNDS):
            image = "shop:2.0" if number % 2 == 0 else "shop:1.0"
            began = time.perf_counter()
            shop.completed(image)
            launches.append(time.perf_counter() - began)
            phases, ledger = _updates(shop)
            each = _by_hand(shop.root, phases + ledger)
            by_hand.append(sum(each[:phases]))
            with_ledger.append(sum(each))
        yield Measurement("overhead.updates_of_phases", phases, "updates")
        yield Measurement("overhead.updates_of_ledger", ledger, "updates")
        yield Measurement("overhead.launch", statistics.median(launches), "s", statistics.median(by_hand))
        pairs = (("overhead.ratio", by_hand), ("overhead.ratio_with_ledger", with_ledger))
        for name, hand in pairs:
            ratios = [launch / seconds for launch, seconds in zip(launches, hand, strict=True)]
            yield Measurement(name, statistics.median(ratios), "launch / by hand")


def _updates(shop: Project) -> tuple[int, int]:
    """Return how many updates the last launch made: of the phases' stacks, and of the ledger."""
    history = shop.root / ".launch" / "state" / ".pulumi" / "history"
    found = [path for path in history.rglob("*.history.json") if _newest_launch(shop.root) in path.read_text()]
    ledger = sum(path.parent.name == "dev" for path in found)
    return len(found) - ledger, ledger


def _newest_launch(root: Path) -> str:
    return str(json.loads((root / ".launch" / "run" / "dev" / "journal.json").read_text())["id"])


def _by_hand(root: Path, updates: int) -> list[float]:
    """Return the seconds of that many `Stack.up()`s, one after the other, of a stack like the traffic phase's."""
    platform = LocalPlatform(root / ".launch" / "by-hand")
    environ = {
        **os.environ,
        "PULUMI_BACKEND_URL": f"file://{root / '.launch' / 'state'}",
        "PULUMI_CONFIG_PASSPHRASE_FILE": str(root / ".launch" / "passphrase"),
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PATH": f"{ROOT / '.venv' / 'bin'}:{ROOT / '.tools' / 'bin'}:{os.environ['PATH']}",
    }
    os.environ["PATH"] = environ["PATH"]
    weights = iter(range(10, 100))

    def program() -> None:
        weight = next(weights)
        split = SplitSpec(
            "hand",
            (
                BackendSpec("blue", "http://127.0.0.1:9", 100 - weight),
                BackendSpec("green", "http://127.0.0.1:9", weight),
            ),
        )
        traffic.program(
            platform, split=split, flags=FlagsSpec("hand", {}), variants={}, marker=Marker("hand", "traffic", "1")
        )()

    stack = auto.create_or_select_stack(
        "by-hand", project_name="bench", program=program, opts=auto.LocalWorkspaceOptions(env_vars=environ)
    )
    stack.up()  # makes the router; only updates are compared
    took = []
    for _ in range(updates):
        began = time.perf_counter()
        stack.up()
        took.append(time.perf_counter() - began)
    stack.destroy()
    return took
