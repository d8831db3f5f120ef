from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

import pytest

from phases.clock import Clock
from phases.gates.base import GateContext, ImageRegistry, Moment
from phases.gates.image_digest import ImageDigest
from phases.kinds import PhaseKind
from phases.verdict import Verdict

MakeContext = Callable[..., GateContext]
MakeRegistry = Callable[[Mapping[str, str | Exception]], ImageRegistry]


class MovableClock(Clock, Protocol):
    at: float


DIGEST = "sha256:" + "a" * 64
OTHER = "sha256:" + "b" * 64


def test_is_asked_before_and_after_a_deploy_and_once_elsewhere() -> None:
    assert ImageDigest.moments(PhaseKind.DEPLOY) == {Moment.ENTRY, Moment.EXIT}
    assert ImageDigest.moments(PhaseKind.TRAFFIC) == {Moment.ENTRY}


def test_passes_when_the_registry_holds_what_the_release_names(
    make_context: MakeContext, make_registry: MakeRegistry
) -> None:
    context = make_context(registries={"": make_registry({"shop:2.0": DIGEST})})
    result = ImageDigest().check(context)
    assert result.verdict is Verdict.PASSED
    assert result.evidence["registry_digest"] == DIGEST


def test_a_tag_that_was_moved_since_the_launch_started_fails(
    make_context: MakeContext, make_registry: MakeRegistry
) -> None:
    result = ImageDigest().check(make_context(registries={"": make_registry({"shop:2.0": OTHER})}))
    assert result.verdict is Verdict.FAILED
    assert OTHER in result.reason
    assert DIGEST in result.reason


def test_an_image_that_is_gone_fails_and_names_those_there_are(
    make_context: MakeContext, make_registry: MakeRegistry
) -> None:
    result = ImageDigest().check(make_context(registries={"": make_registry({"shop:1.0": OTHER})}))
    assert result.verdict is Verdict.FAILED
    assert "there is shop:1.0" in result.reason


def test_a_key_error_of_a_registry_reads_as_a_sentence(make_context: MakeContext, make_registry: MakeRegistry) -> None:
    registry = make_registry({"shop:2.0": KeyError("no such tag")})
    result = ImageDigest().check(make_context(registries={"": registry}))
    assert result.reason == "shop:2.0 is not in the registry: no such tag"


def test_a_registry_that_does_not_answer_is_no_wrong_digest(
    make_context: MakeContext, make_registry: MakeRegistry
) -> None:
    registry = make_registry({"shop:2.0": ConnectionError("connection refused")})
    result = ImageDigest().check(make_context(registries={"": registry}))
    assert result.verdict is Verdict.INCONCLUSIVE
    assert "connection refused" in result.reason


def test_asks_the_registry_that_the_settings_name(make_context: MakeContext, make_registry: MakeRegistry) -> None:
    registries = {"": make_registry({"shop:2.0": OTHER}), "ecr": make_registry({"shop:2.0": DIGEST})}
    assert ImageDigest(registry="ecr").check(make_context(registries=registries)).verdict is Verdict.PASSED


def test_a_registry_nobody_configured_fails_and_names_those_there_are(
    make_context: MakeContext, make_registry: MakeRegistry
) -> None:
    """The environment's own registry never stands in for another by accident."""
    registries = {"": make_registry({"shop:2.0": DIGEST}), "harbor": make_registry({})}
    result = ImageDigest(registry="ecr").check(make_context(registries=registries))
    assert result.verdict is Verdict.FAILED
    assert "'ecr'" in result.reason
    assert "harbor" in result.reason


def test_without_any_registry_it_fails(make_context: MakeContext) -> None:
    assert ImageDigest().check(make_context()).verdict is Verdict.FAILED


@pytest.mark.parametrize("moment", list(Moment))
def test_fails_when_something_else_runs_in_the_slot(
    make_context: MakeContext, make_registry: MakeRegistry, moment: Moment
) -> None:
    registries = {"": make_registry({"shop:2.0": DIGEST})}
    result = ImageDigest().check(make_context(registries=registries, moment=moment, deployed_digest=OTHER))
    assert result.verdict is Verdict.FAILED
    assert "slot green runs " + OTHER in result.reason


def test_passes_when_the_slot_runs_the_release(make_context: MakeContext) -> None:
    result = ImageDigest().check(make_context(moment=Moment.EXIT, deployed_digest=DIGEST))
    assert result.verdict is Verdict.PASSED


def test_a_platform_that_does_not_say_what_runs_is_inconclusive(make_context: MakeContext) -> None:
    assert ImageDigest().check(make_context(moment=Moment.EXIT, slot=None)).verdict is Verdict.INCONCLUSIVE


def test_before_the_deploy_the_slot_is_not_asked_for(make_context: MakeContext, make_registry: MakeRegistry) -> None:
    context = make_context(registries={"": make_registry({"shop:2.0": DIGEST})}, deployed_digest=None)
    assert ImageDigest().check(context).verdict is Verdict.PASSED


def test_verify_false_compares_nothing_and_says_so(make_context: MakeContext) -> None:
    result = ImageDigest(verify=False).check(make_context(moment=Moment.EXIT, deployed_digest=OTHER))
    assert result.verdict is Verdict.PASSED
    assert "not compared" in result.reason


def test_a_registry_that_blocks_is_left_at_the_deadline(make_context: MakeContext, clock: MovableClock) -> None:
    import threading

    release = threading.Event()

    class Blocking:
        def digest(self, image: str) -> str:
            clock.at = 10.0
            release.wait()
            return image

    result = ImageDigest().check(make_context(registries={"": Blocking()}, deadline=5.0))
    release.set()
    assert result.verdict is Verdict.INCONCLUSIVE
    assert "time was over" in result.reason


def test_a_password_in_a_registrys_message_is_not_recorded(
    make_context: MakeContext, make_registry: MakeRegistry
) -> None:
    registry = make_registry({"shop:2.0": LookupError("no https://u:hunter2@registry/shop")})
    result = ImageDigest().check(make_context(registries={"": registry}, secrets=("hunter2",)))
    assert "hunter2" not in str(result)
