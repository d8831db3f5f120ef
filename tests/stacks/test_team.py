"""Programs of a team's own are found, one at a time."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from phases.errors import ConfigurationError
from stacks import team

# Imported, it has another thread load `impatient`, and gives it time to.
PATIENT = """
import threading
from pathlib import Path
from stacks import team

here = Path(__file__).parent
other = threading.Thread(target=team.load, args=("impatient_program:f", here))
other.start()
other.join(timeout=0.2)
with (here / "order").open("a") as file:
    file.write("patient ")

def f(context): ...
"""
IMPATIENT = """
from pathlib import Path

with (Path(__file__).parent / "order").open("a") as file:
    file.write("impatient ")

def f(context): ...
"""


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setattr(sys, "path", [*sys.path])
    (tmp_path / "patient_program.py").write_text(PATIENT, encoding="utf-8")
    (tmp_path / "impatient_program.py").write_text(IMPATIENT, encoding="utf-8")
    yield tmp_path
    for name in ("patient_program", "impatient_program"):
        sys.modules.pop(name, None)


def test_a_module_is_whole_before_the_next_one_is_begun(root: Path) -> None:
    assert callable(team.load("patient_program:f", root))
    sys.modules["patient_program"].other.join()

    assert (root / "order").read_text(encoding="utf-8") == "patient impatient "


@pytest.mark.parametrize(
    ("path", "said"), [("nowhere_to_be_found:f", "cannot be imported"), ("impatient_program:g", "has no function 'g'")]
)
def test_what_is_not_there_is_said(root: Path, path: str, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        team.load(path, root)
