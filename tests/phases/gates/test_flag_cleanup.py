from __future__ import annotations

from collections.abc import Callable
from datetime import date

from phases.flags import FlagSpec
from phases.gates.base import FlagView, GateContext, Moment, Release
from phases.gates.flag_cleanup import FlagCleanup
from phases.kinds import PhaseKind
from phases.verdict import GateResult, Verdict

MakeContext = Callable[..., GateContext]
TIDY = FlagSpec(key="tidy", owner="anna", expires=date(2027, 1, 1), cleanup="#12")


def check(make_context: MakeContext, *specs: FlagSpec, uses: tuple[str, ...]) -> GateResult:
    release = Release(image="shop:2.0", digest="sha256:0", flags=uses)
    return FlagCleanup().check(make_context(release=release, flags=FlagView(specs)))


def test_is_asked_before_users_get_the_release() -> None:
    assert FlagCleanup.moments(PhaseKind.TRAFFIC) == {Moment.ENTRY}
    assert FlagCleanup.moments(PhaseKind.POST_LAUNCH) == {Moment.ENTRY}


def test_a_flag_with_owner_expiry_and_cleanup_passes(make_context: MakeContext) -> None:
    assert check(make_context, TIDY, uses=("tidy",)).verdict is Verdict.PASSED


def test_a_release_without_flags_passes(make_context: MakeContext) -> None:
    result = check(make_context, FlagSpec(key="other"), uses=())
    assert result.verdict is Verdict.PASSED
    assert result.warnings == ()


def test_a_bare_release_flag_fails_and_names_all_it_lacks(make_context: MakeContext) -> None:
    result = check(make_context, FlagSpec(key="new_checkout"), TIDY, uses=("new_checkout", "tidy"))
    assert result.verdict is Verdict.FAILED
    assert "'new_checkout' lacks owner, expires, cleanup" in result.reason
    assert result.evidence["owed"] == {"new_checkout": ["owner", "expires", "cleanup"]}


def test_several_bare_flags_are_counted(make_context: MakeContext) -> None:
    result = check(make_context, FlagSpec(key="a"), FlagSpec(key="b"), uses=("a", "b"))
    assert "'a'" in result.reason
    assert "and 1 more" in result.reason


def test_an_expired_flag_fails(make_context: MakeContext) -> None:
    """The clock of these tests says 23 November 2026."""
    expired = TIDY.model_copy(update={"expires": date(2026, 11, 22)})
    result = check(make_context, expired, uses=("tidy",))
    assert result.verdict is Verdict.FAILED
    assert "expired 2026-11-22" in result.reason


def test_a_flag_may_be_used_on_its_last_day(make_context: MakeContext) -> None:
    last = TIDY.model_copy(update={"expires": date(2026, 11, 23)})
    assert check(make_context, last, uses=("tidy",)).verdict is Verdict.PASSED


def test_flags_that_may_live_long_owe_nothing(make_context: MakeContext) -> None:
    for kind in ("operational", "experiment", "permission"):
        spec = FlagSpec.model_validate({"key": "kill_switch", "kind": kind})
        assert check(make_context, spec, uses=("kill_switch",)).verdict is Verdict.PASSED


def test_an_expired_flag_of_another_release_is_only_warned_about(make_context: MakeContext) -> None:
    old = FlagSpec(key="old", owner="bert", expires=date(2025, 1, 1), cleanup="#1")
    result = check(make_context, TIDY, old, uses=("tidy",))
    assert result.verdict is Verdict.PASSED
    assert result.warnings == ("release flag 'old' lacks removal (expired 2025-01-01)",)


def test_a_flag_that_nobody_defined_fails(make_context: MakeContext) -> None:
    result = check(make_context, TIDY, uses=("tidy", "new_chekcout"))
    assert result.verdict is Verdict.FAILED
    assert "'new_chekcout'" in result.reason
