"""History: launches are told from the messages of Pulumi's own updates."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from launch import edge
from launch.past import launches
from stacks.updates import HistoryEntry

FIRST, SECOND = "01M83W2S2Y2W6QGZBXRC6QCJHP", "01M83W4KQFW0CX185M0TCFS5C7"
BEGAN = datetime(2026, 11, 23, 9, tzinfo=UTC)


class FakeEngine:
    """An engine with a history and nothing else."""

    def __init__(self, histories: dict[str, list[tuple[str, int]]]) -> None:
        self.histories = histories

    def stacks(self) -> tuple[str, ...]:
        return tuple(self.histories)

    def stack(self, name: str) -> Any:  # noqa: ANN401
        entries = [
            HistoryEntry(
                number,
                message,
                "succeeded",
                "update",
                BEGAN + timedelta(seconds=second),
                BEGAN + timedelta(seconds=second + 1),
                {"update": 1},
            )
            for number, (message, second) in enumerate(self.histories[name], start=1)
        ]

        class Handle:
            def history(self, limit: int) -> tuple[HistoryEntry, ...]:
                return tuple(reversed(entries))[:limit]

        return Handle()


def test_a_launch_is_its_updates_in_order_and_its_last_state() -> None:
    engine = FakeEngine(
        {
            "dev": [(f"{FIRST} launch RUNNING shop:1.0", 0), (f"{FIRST} launch COMPLETED shop:1.0", 9)],
            "dev-deploy": [(f"{FIRST} deploy shop:1.0", 2), (f"{SECOND} deploy shop:2.0", 20)],
            "dev-traffic": [(f"{FIRST} traffic 0% -> 100%", 4)],
            "production": [(f"{SECOND} launch RUNNING other:1", 0)],
        }
    )
    second, first = launches(engine, "dev")  # type: ignore[arg-type]
    assert (first.id, first.state, first.image) == (FIRST, "COMPLETED", "shop:1.0")
    assert [update.text for update in first.updates] == ["deploy shop:1.0", "traffic 0% -> 100%"]
    assert second.id == SECOND


def test_updates_by_hand_are_no_launches() -> None:
    engine = FakeEngine({"dev-deploy": [("fixing things", 1)]})
    assert launches(engine, "dev") == []  # type: ignore[arg-type]


@pytest.mark.parametrize(("output", "where"), [("auto", "out"), ("json", "err")])
def test_an_environment_without_launches_is_told_so_and_json_stays_empty(
    output: str, where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("launch.asked.engine_for", lambda *_: FakeEngine({}))
    (tmp_path / "Pulumi.dev.yaml").write_text("config: {}\n", encoding="utf-8")
    assert edge.run(["history", "dev", "-C", str(tmp_path), "--output", output]) == 0
    told = capsys.readouterr()
    assert "nothing was ever launched in dev" in getattr(told, where)
    assert output == "auto" or told.out == ""
