"""With OpenFeature's own in-memory provider: no file, no thread of flagd's."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from openfeature.evaluation_context import EvaluationContext
from openfeature.flag_evaluation import FlagResolutionDetails
from openfeature.provider.in_memory_provider import InMemoryFlag, InMemoryProvider
from pydantic import ValidationError

from phases.flags import FlagSpec
from phases.gates import flag_provider
from phases.gates.base import FlagView, GateContext, Moment
from phases.gates.feature_flag_evaluation import FeatureFlagEvaluation
from phases.kinds import PhaseKind
from phases.verdict import Verdict

MakeContext = Callable[..., GateContext]
CHECKOUT = FlagSpec(key="new_checkout")
LIMIT = FlagSpec(key="limit", variants={"low": 5, "high": 50}, default="low", launch="high")


def on_off(default: str) -> InMemoryFlag[bool]:
    return InMemoryFlag(default, {"on": True, "off": False})


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Callable[..., InMemoryProvider]:
    """Let the gate find these flags."""

    def use(**flags: InMemoryFlag[Any]) -> InMemoryProvider:
        found = InMemoryProvider(flags)
        monkeypatch.setattr(flag_provider, "create", lambda *_, **__: found)
        return found

    return use


def view(*specs: FlagSpec, **variants: str) -> FlagView:
    return FlagView(specs or (CHECKOUT,), variants, "flags.json")


Provide = Callable[..., InMemoryProvider]


def test_is_asked_after_the_flags_were_switched() -> None:
    assert FeatureFlagEvaluation.moments(PhaseKind.TRAFFIC) == {Moment.EXIT}
    assert FeatureFlagEvaluation.moments(PhaseKind.POST_LAUNCH) == {Moment.ENTRY}


def test_a_flag_that_has_its_variant_passes(make_context: MakeContext, provider: Provide) -> None:
    provider(new_checkout=on_off("on"))
    result = FeatureFlagEvaluation.model_validate({"flags": ["new_checkout"]}).check(
        make_context(flags=view(new_checkout="on"))
    )
    assert result.verdict is Verdict.PASSED
    assert result.evidence["flags"] == [
        {"flag": "new_checkout", "expected": True, "got": True, "variant": "on", "reason": "STATIC"}
    ]


def test_a_flag_that_is_still_off_fails_and_says_all(make_context: MakeContext, provider: Provide) -> None:
    provider(new_checkout=on_off("off"))
    result = FeatureFlagEvaluation.model_validate({"flags": ["new_checkout"]}).check(
        make_context(flags=view(new_checkout="on"))
    )
    assert result.verdict is Verdict.FAILED
    assert result.reason == "flag 'new_checkout' is False, expected True (reason STATIC, variant 'off')"


def test_a_flag_whose_variant_nobody_recorded_is_at_its_default(make_context: MakeContext, provider: Provide) -> None:
    provider(new_checkout=on_off("off"))
    gate = FeatureFlagEvaluation.model_validate({"flags": ["new_checkout"]})
    assert gate.check(make_context(flags=view())).verdict is Verdict.PASSED


def test_numbers_texts_and_objects_are_compared_as_what_they_are(make_context: MakeContext, provider: Provide) -> None:
    provider(
        limit=InMemoryFlag("high", {"high": 50}),
        rate=InMemoryFlag("x", {"x": 0.25}),
        colour=InMemoryFlag("x", {"x": "red"}),
        shape=InMemoryFlag("x", {"x": {"sides": 3}}),
    )
    gate = FeatureFlagEvaluation.model_validate(
        {
            "flags": [
                "limit",
                {"key": "rate", "expected": 0.25},
                {"key": "colour", "expected": "red"},
                {"key": "shape", "expected": {"sides": 3}},
            ]
        }
    )
    assert gate.check(make_context(flags=view(LIMIT, limit="high"))).verdict is Verdict.PASSED
    assert gate.keys == ("limit", "rate", "colour", "shape")


def test_true_is_not_one(make_context: MakeContext, provider: Provide) -> None:
    provider(new_checkout=InMemoryFlag("on", {"on": 1}))
    gate = FeatureFlagEvaluation.model_validate({"flags": [{"key": "new_checkout", "expected": True}]})
    result = gate.check(make_context(flags=view()))
    assert result.verdict is Verdict.FAILED
    assert "TYPE_MISMATCH" in result.reason


def test_each_context_may_expect_a_value_of_its_own(make_context: MakeContext, provider: Provide) -> None:
    def by_country(flag: InMemoryFlag[Any], context: EvaluationContext) -> FlagResolutionDetails[Any]:
        variant = "on" if context.attributes.get("country") == "de" and context.targeting_key == "anna" else "off"
        return FlagResolutionDetails(flag.variants[variant], variant=variant)

    provider(new_checkout=InMemoryFlag("off", {"on": True, "off": False}, context_evaluator=by_country))
    settings = {
        "flags": [
            {
                "key": "new_checkout",
                "contexts": [
                    {"targetingKey": "anna", "country": "de"},
                    {"targetingKey": "bert", "country": "fr", "expected": False},
                ],
            }
        ]
    }
    gate = FeatureFlagEvaluation.model_validate(settings)
    assert gate.check(make_context(flags=view(new_checkout="on"))).verdict is Verdict.PASSED
    settings["flags"][0]["contexts"][1]["expected"] = True  # type: ignore[index]
    result = FeatureFlagEvaluation.model_validate(settings).check(make_context(flags=view(new_checkout="on")))
    assert result.verdict is Verdict.FAILED
    assert "for targetingKey=bert, country=fr is False" in result.reason


def test_a_flag_that_is_not_there_fails(make_context: MakeContext, provider: Provide) -> None:
    provider()
    gate = FeatureFlagEvaluation.model_validate({"flags": ["new_checkout"]})
    result = gate.check(make_context(flags=view(new_checkout="on")))
    assert result.verdict is Verdict.FAILED
    assert result.reason == "flag 'new_checkout' is not there"


def test_the_sdks_default_never_looks_right(make_context: MakeContext, provider: Provide) -> None:
    """A disabled flag gives the caller's default with no error: the gate's default is always another value."""

    def disabled(_flag: InMemoryFlag[Any], _context: object) -> FlagResolutionDetails[Any]:
        return FlagResolutionDetails(True, reason="DISABLED")

    provider(new_checkout=InMemoryFlag("on", {"on": True}, context_evaluator=disabled))
    gate = FeatureFlagEvaluation.model_validate({"flags": ["new_checkout"]})
    result = gate.check(make_context(flags=view(new_checkout="on")))
    assert result.verdict is Verdict.FAILED
    assert "disabled" in result.reason


@pytest.mark.parametrize("code", ["GENERAL", "PROVIDER_NOT_READY"])
def test_an_error_that_says_nothing_about_the_flag_is_inconclusive(
    make_context: MakeContext, provider: Provide, code: str
) -> None:
    from openfeature.exception import ErrorCode, OpenFeatureError

    def broken(_flag: InMemoryFlag[Any], _context: object) -> FlagResolutionDetails[Any]:
        raise OpenFeatureError(ErrorCode(code), "backend is away")

    provider(new_checkout=InMemoryFlag("on", {"on": True}, context_evaluator=broken))
    gate = FeatureFlagEvaluation.model_validate({"flags": ["new_checkout"]})
    result = gate.check(make_context(flags=view(new_checkout="on")))
    assert result.verdict is Verdict.INCONCLUSIVE
    assert "backend is away" in result.reason


def test_a_flag_that_nothing_says_the_value_of_is_inconclusive(make_context: MakeContext, provider: Provide) -> None:
    provider(other=on_off("on"))
    gate = FeatureFlagEvaluation.model_validate({"flags": ["other"]})
    result = gate.check(make_context(flags=view()))
    assert result.verdict is Verdict.INCONCLUSIVE
    assert "launch.yaml" in result.reason


def test_a_provider_that_does_not_become_ready_is_inconclusive(
    make_context: MakeContext, provider: Provide, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_context: object) -> None:
        raise ConnectionError("connection refused")

    monkeypatch.setattr(provider(), "initialize", refuse)
    gate = FeatureFlagEvaluation.model_validate({"flags": ["new_checkout"]})
    result = gate.check(make_context(flags=view(new_checkout="on")))
    assert result.verdict is Verdict.INCONCLUSIVE
    assert result.reason == "the flag provider is not ready: connection refused"


def test_a_provider_that_blocks_is_left_when_the_launch_is_stopped(
    make_context: MakeContext, provider: Provide, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop, release = threading.Event(), threading.Event()

    def block(_context: object) -> None:
        stop.set()
        release.wait()

    monkeypatch.setattr(provider(), "initialize", block)
    gate = FeatureFlagEvaluation.model_validate({"flags": ["new_checkout"]})
    result = gate.check(make_context(flags=view(new_checkout="on"), stop=stop))
    release.set()
    assert result.verdict is Verdict.INCONCLUSIVE
    assert "stopped" in result.reason


def test_the_provider_is_shut_down_after_the_check(
    make_context: MakeContext, provider: Provide, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = threading.Event()
    monkeypatch.setattr(provider(new_checkout=on_off("on")), "shutdown", ended.set)
    FeatureFlagEvaluation.model_validate({"flags": ["new_checkout"]}).check(make_context(flags=view(new_checkout="on")))
    assert ended.wait(10)


def test_a_secret_flag_value_is_not_recorded(make_context: MakeContext, provider: Provide) -> None:
    provider(key=InMemoryFlag("x", {"x": "hunter2"}))
    gate = FeatureFlagEvaluation.model_validate({"flags": [{"key": "key", "expected": "other"}]})
    assert "hunter2" not in str(gate.check(make_context(flags=view(), secrets=("hunter2",))))


def test_without_a_flag_file_it_cannot_tell(make_context: MakeContext) -> None:
    gate = FeatureFlagEvaluation.model_validate({"flags": ["new_checkout"]})
    result = gate.check(make_context(flags=FlagView((CHECKOUT,), {"new_checkout": "on"}, None)))
    assert result.verdict is Verdict.INCONCLUSIVE
    assert "no flag file" in result.reason


@pytest.mark.parametrize(
    ("path", "complaint"),
    [("no.such.module:Provider", "No module named 'no'"), ("json:Provider", "json has no class 'Provider'")],
)
def test_a_provider_that_cannot_be_imported_is_found_before_the_launch(
    make_context: MakeContext, path: str, complaint: str
) -> None:
    gate = FeatureFlagEvaluation.model_validate({"provider": path, "flags": ["new_checkout"]})
    context = make_context(flags=view(new_checkout="on"))
    assert complaint in gate.problems(context.root)[0]
    assert complaint in gate.check(context).reason


def test_a_provider_that_can_be_imported_has_no_problems(make_context: MakeContext) -> None:
    path = "openfeature.provider.in_memory_provider:InMemoryProvider"
    gate = FeatureFlagEvaluation.model_validate({"provider": path, "provider_config": {"flags": {}}, "flags": ["x"]})
    assert gate.problems(make_context().root) == ()
    assert FeatureFlagEvaluation.model_validate({"flags": ["x"]}).problems(make_context().root) == ()
    refused = gate.model_copy(update={"provider_config": {"wrong": 1}})
    result = refused.check(make_context(flags=view(FlagSpec(key="x"))))
    assert result.verdict is Verdict.INCONCLUSIVE
    assert "provider_config" in result.reason


@pytest.mark.parametrize("settings", [{}, {"flags": []}, {"flags": [5]}, {"flags": ["x"], "provider": "flagsmith"}])
def test_settings_that_make_no_sense_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        FeatureFlagEvaluation.model_validate(settings)
