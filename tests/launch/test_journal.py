"""The record is kept: beside the ledger at once, in the ledger with the newest state."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from launch.journal import LedgerJournal, recall
from phases.errors import EngineError
from phases.kinds import PhaseKind
from phases.record import LaunchRecord, PhaseRecord, ReleaseRecord
from phases.states import LaunchState, PhaseState
from stacks.ledger import Vault


class FakeLedger:
    """A ledger whose writes the test can hold back or refuse."""

    def __init__(self) -> None:
        self.written: list[Mapping[str, Any]] = []
        self.gate = threading.Event()
        self.gate.set()
        self.refuses = 0

    def write(self, record: Mapping[str, Any], vault: Vault, *, message: str) -> None:
        del vault, message
        self.gate.wait(10)
        if self.refuses:
            self.refuses -= 1
            raise EngineError("the backend does not answer")
        self.written.append(record)


@pytest.fixture
def ledger() -> FakeLedger:
    return FakeLedger()


@pytest.fixture
def journal(ledger: FakeLedger, tmp_path: Path) -> Iterator[LedgerJournal]:
    made = LedgerJournal(ledger, Vault(), tmp_path / "journal.json", secrets=("hunter2",))  # type: ignore[arg-type]
    yield made
    ledger.gate.set()
    made.close()


def record(state: PhaseState = PhaseState.PENDING, *, launch: LaunchState = LaunchState.RUNNING) -> LaunchRecord:
    return LaunchRecord(
        id="01J",
        environment="dev",
        state=launch,
        release=ReleaseRecord(image="shop:2.0", digest="sha256:2"),
        started=datetime(2026, 11, 23, tzinfo=UTC),
        phases=(PhaseRecord(id="deploy", kind=PhaseKind.DEPLOY, state=state),),
    )


def test_the_file_has_every_change_at_once(journal: LedgerJournal, ledger: FakeLedger, tmp_path: Path) -> None:
    ledger.gate.clear()
    journal.save(record(PhaseState.EXECUTING), durable=False)
    kept = recall(tmp_path / "journal.json")
    assert kept is not None
    assert kept.phase("deploy").state is PhaseState.EXECUTING


def test_a_durable_record_is_in_the_ledger_before_the_launch_goes_on(
    journal: LedgerJournal, ledger: FakeLedger
) -> None:
    journal.save(record(launch=LaunchState.COMPLETED), durable=True)
    assert ledger.written[-1]["state"] == "COMPLETED"


def test_what_is_written_late_is_the_newest(journal: LedgerJournal, ledger: FakeLedger) -> None:
    ledger.gate.clear()
    for state in (PhaseState.PENDING, PhaseState.VALIDATING, PhaseState.EXECUTING):
        journal.save(record(state), durable=False)
    ledger.gate.set()
    journal.save(record(PhaseState.VERIFIED), durable=True)
    assert ledger.written[-1]["phases"][0]["state"] == "VERIFIED"
    assert len(ledger.written) <= 3


def test_steps_in_quick_succession_are_one_update_of_the_ledger(
    journal: LedgerJournal, ledger: FakeLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("launch.journal.LET_GO_FIRST_SECONDS", 0.0)
    journal.adopt(record())
    for state in (PhaseState.VALIDATING, PhaseState.EXECUTING, PhaseState.VERIFIED):
        journal.save(record(state), durable=False)
        threading.Event().wait(0.05)
    assert ledger.written == [], "it heard of the launch just now"
    monkeypatch.setattr("launch.journal.STEP_SECONDS", 0.0)
    journal.save(record(PhaseState.ROLLED_BACK), durable=False)
    while not ledger.written:
        threading.Event().wait(0.01)
    assert [written["phases"][0]["state"] for written in ledger.written] == ["ROLLED_BACK"]


def test_that_a_launch_goes_back_is_in_the_ledger_at_once(journal: LedgerJournal, ledger: FakeLedger) -> None:
    journal.adopt(record())
    back = record(PhaseState.EXECUTING).model_copy(update={"rolling_back": True})
    journal.save(back, durable=False)
    while not ledger.written:
        threading.Event().wait(0.01)
    assert ledger.written[-1]["rolling_back"] is True


def test_a_ledger_that_cannot_be_written_in_between_stops_nothing(journal: LedgerJournal, ledger: FakeLedger) -> None:
    ledger.refuses = 1
    journal.save(record(PhaseState.EXECUTING), durable=False)
    while ledger.refuses:
        threading.Event().wait(0.01)
    journal.save(record(PhaseState.VERIFIED), durable=True)
    assert ledger.written[-1]["phases"][0]["state"] == "VERIFIED"


def test_a_ledger_that_cannot_be_written_at_the_end_is_an_error(journal: LedgerJournal, ledger: FakeLedger) -> None:
    journal.adopt(record())
    ledger.refuses = 1
    with pytest.raises(EngineError, match="does not answer"):
        journal.save(record(launch=LaunchState.COMPLETED), durable=True)


def test_no_secret_gets_into_a_record(journal: LedgerJournal, ledger: FakeLedger, tmp_path: Path) -> None:
    journal.save(record().model_copy(update={"reason": "connecting with hunter2 failed"}), durable=True)
    assert ledger.written[-1]["reason"] == "connecting with [secret] failed"
    assert "hunter2" not in (tmp_path / "journal.json").read_text()


def test_a_damaged_file_is_no_record(tmp_path: Path) -> None:
    (tmp_path / "journal.json").write_text('{"id": ')
    assert recall(tmp_path / "journal.json") is None
    assert recall(tmp_path / "none.json") is None
