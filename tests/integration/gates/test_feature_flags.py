"""The flag gate with flagd's own file resolver."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from phases.flags import FlagSpec
from phases.gates.base import FlagView, GateContext, Moment, Release
from phases.gates.feature_flag_evaluation import FeatureFlagEvaluation
from phases.kinds import PhaseKind
from phases.verdict import Verdict

pytestmark = pytest.mark.integration

CHECKOUT = FlagSpec(key="new_checkout")
COUNTRY = FlagSpec(
    key="by_country", targeting={"if": [{"==": [{"var": "country"}, "de"]}, "on", "off"]}, variants={"on": 1, "off": 0}
)


def write(path: Path, **variants: str) -> Path:
    flags = {spec.key: spec.flagd(variants[spec.key]) for spec in (CHECKOUT, COUNTRY) if spec.key in variants}
    path.write_text(json.dumps({"flags": flags}))
    return path


def context(path: Path, **variants: str) -> GateContext:
    return GateContext(
        environment="dev",
        phase="traffic",
        kind=PhaseKind.TRAFFIC,
        moment=Moment.EXIT,
        release=Release("shop:2.0", "sha256:0"),
        root=path.parent,
        flags=FlagView((CHECKOUT, COUNTRY), variants, str(path)),
    )


def gate(*flags: Any) -> FeatureFlagEvaluation:  # noqa: ANN401
    return FeatureFlagEvaluation.model_validate({"flags": list(flags)})


def test_the_file_that_was_just_written_is_what_is_evaluated(tmp_path: Path) -> None:
    path = write(tmp_path / "flags.json", new_checkout="off")
    on = context(path, new_checkout="on")
    assert gate("new_checkout").check(on).verdict is Verdict.FAILED
    write(path, new_checkout="on")
    assert gate("new_checkout").check(on).verdict is Verdict.PASSED


def test_targeting_rules_are_followed(tmp_path: Path) -> None:
    path = write(tmp_path / "flags.json", by_country="on")
    flag = {"key": "by_country", "contexts": [{"country": "de"}, {"country": "fr", "expected": 0}]}
    result = gate(flag).check(context(path, by_country="on"))
    assert result.verdict is Verdict.PASSED
    assert {row["reason"] for row in result.evidence["flags"]} == {"TARGETING_MATCH"}


def test_a_flag_that_the_file_does_not_have_fails(tmp_path: Path) -> None:
    path = write(tmp_path / "flags.json")
    assert gate("new_checkout").check(context(path, new_checkout="on")).verdict is Verdict.FAILED


def test_a_disabled_flag_fails(tmp_path: Path) -> None:
    path = tmp_path / "flags.json"
    path.write_text(json.dumps({"flags": {"new_checkout": {**CHECKOUT.flagd("on"), "state": "DISABLED"}}}))
    result = gate("new_checkout").check(context(path, new_checkout="on"))
    assert result.verdict is Verdict.FAILED
    assert "disabled" in result.reason


@pytest.mark.parametrize("content", [None, "", "{", "\xff"])
def test_a_file_that_cannot_be_read_is_inconclusive(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "flags.json"
    if content is not None:
        path.write_bytes(content.encode("latin-1"))
    assert gate("new_checkout").check(context(path, new_checkout="on")).verdict is Verdict.INCONCLUSIVE


def test_a_flagd_that_is_not_there_is_inconclusive(tmp_path: Path) -> None:
    settings = {"resolver_type": "rpc", "host": "127.0.0.1", "port": 1, "deadline_ms": 200}
    asked = FeatureFlagEvaluation.model_validate({"provider_config": settings, "flags": ["new_checkout"]})
    result = asked.check(context(tmp_path / "none", new_checkout="on"))
    assert result.verdict is Verdict.INCONCLUSIVE


def test_checks_beside_each_other_do_not_disturb_each_other(tmp_path: Path) -> None:
    on, off = write(tmp_path / "on.json", new_checkout="on"), write(tmp_path / "off.json", new_checkout="off")
    contexts = [context(on, new_checkout="on"), context(off, new_checkout="off")] * 10
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(gate("new_checkout").check, contexts))
    assert {result.verdict for result in results} == {Verdict.PASSED}
