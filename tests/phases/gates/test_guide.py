"""The guide tells users of everything there is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from phases.gates.registry import GATES
from phases.policy.files import STARTER
from phases.transactions import Expectation, Transaction

GUIDE = (Path(__file__).parents[3] / "docs" / "guides" / "gates.md").read_text(encoding="utf-8")


def section(name: str) -> str:
    found = re.search(rf"^## {re.escape(name)}$(.*?)(?=^## |\Z)", GUIDE, re.MULTILINE | re.DOTALL)
    assert found is not None, f"docs/guides/gates.md has no section {name!r}"
    return found[1]


@pytest.mark.parametrize("name", sorted(GATES))
def test_each_gate_has_its_section_with_every_setting(name: str) -> None:
    text = section(name)
    for setting in GATES[name].model_fields:
        assert f"| `{setting}` |" in text, f"the section {name!r} does not tell of `{setting}`"


def test_every_key_of_a_transaction_is_shown() -> None:
    text = section("Synthetic transactions")
    for model in (Transaction, Expectation):
        for name, field in model.model_fields.items():
            assert f"{field.alias or name}:" in text


def test_every_starter_policy_is_told_of() -> None:
    text = section("policy")
    for policy in STARTER.glob("*.rego"):
        assert f"| `{policy.stem}` |" in text
