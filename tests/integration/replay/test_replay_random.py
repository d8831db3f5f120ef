"""Random stacks on the real engine, changed at random and replayed."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from stacks.checkpoint import Checkpoint, Resource
from stacks.parachute import Parachute, decode, encode
from stacks.replay_changes import unprotected
from tests.integration.replay.random_stacks import Maker

if TYPE_CHECKING:
    from tests.integration.replay.conftest import Sandbox

pytestmark = pytest.mark.integration

_OPTIONS = (
    "type",
    "custom",
    "external",
    "parent",
    "provider_urn",
    "protect",
    "retain_on_delete",
    "additional_secret_outputs",
    "timeouts",
    "deleted_with",
    "replace_with",
    "ignore_changes",
    "hide_diff",
    "replace_on_changes",
)


def _unlike(before: Resource, after: Resource) -> list[str]:
    """The options that are not what they were."""
    unlike = [name for name in _OPTIONS if getattr(before, name) != getattr(after, name)]
    if set(before.dependencies) != set(after.dependencies):
        unlike.append("dependencies")
    if _sets(before) != _sets(after):
        unlike.append("property_dependencies")
    return unlike


def _sets(resource: Resource) -> dict[str, set[str]]:
    return {key: set(urns) for key, urns in resource.property_dependencies.items() if urns}


def _nothing_changed(changes: Mapping[str, int]) -> bool:
    """Reading is no change."""
    return changes.keys() <= {"same", "read"}


def _assert_alike(before: Checkpoint, after: Checkpoint, *, apart_from: Collection[str] = ()) -> None:
    assert after.by_urn.keys() == before.by_urn.keys()
    unlike = {urn: _unlike(resource, after.by_urn[urn]) for urn, resource in before.by_urn.items()}
    assert {urn: found for urn, found in unlike.items() if set(found) - set(apart_from)} == {}


@settings(
    max_examples=6,
    deadline=None,
    derandomize=True,
    # Each try runs the engine half a dozen times: what fails is told by its seed and not made smaller.
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(seed=st.integers(0, 2**32 - 1))
def test_any_stack_comes_back_from_any_change(sandbox: Sandbox, seed: int) -> None:
    """Same resources, same options; and the program that made them finds nothing to do: same inputs, live data."""
    maker = Maker(seed)
    program = maker.program()
    fresh = sandbox.fresh()

    fresh.up(program)
    one = fresh.state()
    assert _nothing_changed(fresh.replay(one).changes), "what is there already is left alone"

    fresh.up(maker.next_version(program))
    two = fresh.state()
    # By way of the parachute, as in a launch.
    target = decode(encode(Parachute("launch", one))).target
    freed = unprotected(target, two)
    if freed:
        fresh.replay(freed, current=two)
    fresh.replay(target, current=fresh.state())
    three = fresh.state()
    # Where only the old version ignored a change, the value is restored first and ignored from the next time on.
    _assert_alike(one, three, apart_from=("ignore_changes",))

    assert _nothing_changed(fresh.replay(target, current=three).changes), "the second replay has nothing to do"
    _assert_alike(one, fresh.state())
    assert _nothing_changed(fresh.up(program)), "the program itself finds its stack as it left it"
