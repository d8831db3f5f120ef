"""The load generator against the real service."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.integration.shop.conftest import World

pytestmark = pytest.mark.integration


def play(url: str, *options: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "examples.load", url, *options],
        cwd=Path(__file__).parents[3],
        stdout=subprocess.PIPE,
        text=True,
    )


def result(process: subprocess.Popen[str]) -> dict[str, Any]:
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    figures: dict[str, Any] = json.loads(output)
    return figures


def test_users_of_a_good_version_meet_no_failure(world: World) -> None:
    world.migrate("1.0")
    figures = result(play(world.start("1.0").url, "--rate", "100", "--seconds", "3"))
    assert figures["failed"] == 0
    assert figures["versions"]["1.0"]["requests"] == figures["requests"] > 50
    assert figures["running"] is False


def test_the_failures_of_2_1_are_its_own(world: World) -> None:
    world.migrate("2.1")
    figures = result(play(world.start("2.1").url, "--rate", "100", "--seconds", "3"))
    assert figures["earned"] > 0
    assert figures["on_the_way"] == 0
    assert figures["examples"][0]["detail"] == "status 500"


def test_a_service_that_is_gone_fails_its_users_on_the_way(world: World) -> None:
    world.migrate("1.0")
    shop = world.start("1.0")
    shop.process.kill()
    shop.process.wait()
    figures = result(play(shop.url, "--rate", "50", "--seconds", "1"))
    assert figures["on_the_way"] == figures["requests"] == figures["on_the_way_by_kind"]["refused"] > 0


def test_ends_when_told_to_and_leaves_its_last_figures(world: World, tmp_path: Path) -> None:
    world.migrate("1.0")
    stats = tmp_path / "load.json"
    process = play(world.start("1.0").url, "--rate", "50", "--stats", str(stats))
    for _ in range(200):
        if stats.exists() and json.loads(stats.read_text())["requests"]:
            break
        time.sleep(0.05)
    assert json.loads(stats.read_text())["running"] is True
    process.send_signal(signal.SIGTERM)
    figures = result(process)
    assert json.loads(stats.read_text()) == figures
    assert figures["failed"] == 0
