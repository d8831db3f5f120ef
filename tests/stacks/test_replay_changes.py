from __future__ import annotations

from stacks.checkpoint import Checkpoint, Resource
from stacks.replay_changes import Adjustment, adjustments, unprotected
from tests.stacks.replay_builders import component, state, thing, urn


def change(checkpoint: Checkpoint, current: Checkpoint | None, name: str = "a") -> Adjustment:
    return adjustments(checkpoint, current)[urn(name)]


def test_without_the_present_state_the_recorded_options_are_repeated() -> None:
    recorded = thing("a", aliases=("urn:old",), import_id="x", ignore_changes=("size",))
    assert change(state(recorded), None) == Adjustment(("urn:old",), "x", ("size",))


def test_a_renamed_resource_is_taken_back_under_its_old_name() -> None:
    assert change(state(thing("a")), state(thing("b", id="id-a"))).aliases == (urn("b"),)


def test_a_resource_that_is_there_under_its_own_name_needs_no_alias() -> None:
    current = state(thing("a", id="other"), thing("b", id="id-a"))
    assert change(state(thing("a", aliases=(urn("z"),))), current).aliases == ()


def test_another_resource_of_the_same_type_is_not_taken_for_the_old_one() -> None:
    assert change(state(thing("a")), state(thing("b", id="id-b"))).aliases == ()
    assert change(state(thing("a")), state(thing("b", id="id-b", aliases=(urn("a"),)))).aliases == ()


def test_a_renamed_provider_is_taken_back_too() -> None:
    """Otherwise all that it manages would be replaced."""
    kind = "pulumi:providers:test"
    old = Resource(urn("old", kind), kind, custom=True, id="p-7")
    new = Resource(urn("new", kind), kind, custom=True, id="p-7")
    assert adjustments(state(old), state(new))[old.urn] == Adjustment(aliases=(new.urn,))


def test_a_resource_that_changed_its_type_is_known_by_its_alias() -> None:
    moved = thing("a", urn=urn("a", "test:v2:Thing"), aliases=(urn("a"),))
    assert change(state(thing("a")), state(moved)).aliases == (moved.urn,)


def test_a_renamed_component_is_known_by_its_alias() -> None:
    old, new = component("g"), component("h", aliases=(component("g").urn,))
    assert adjustments(state(old), state(new))[old.urn].aliases == (new.urn,)


def test_two_resources_with_swapped_names_keep_the_names() -> None:
    """Both names exist in both states: the engine updates or replaces them in place."""
    current = state(thing("a", id="id-b"), thing("b", id="id-a"))
    found = adjustments(state(thing("a"), thing("b")), current)
    assert found[urn("a")].aliases == found[urn("b")].aliases == ()


def test_an_imported_resource_goes_on_being_recorded_as_imported() -> None:
    assert change(state(thing("a", import_id="x")), state(thing("a"))).import_id == "x"


def test_an_imported_resource_that_was_replaced_is_created_and_not_imported() -> None:
    """What was imported once is gone: importing it would fail in the middle of a rollback."""
    assert change(state(thing("a", import_id="x")), state(thing("a", id="new"))).import_id == ""
    assert change(state(thing("a", import_id="x")), state()).import_id == ""


def test_a_resource_that_was_let_go_of_is_taken_over_again() -> None:
    assert change(state(thing("a", retain_on_delete=True)), state()).import_id == "id-a"
    assert change(state(thing("a", retain_on_delete=True, import_id="x")), state()).import_id == "x"
    assert change(state(thing("a")), state()).import_id == ""


def test_ignored_changes_stay_ignored_where_both_states_ignore_them() -> None:
    recorded = thing("a", {"size": 1}, ignore_changes=("size",))
    assert change(state(recorded), state(thing("a", {"size": 9}, ignore_changes=("size",)))).ignore_changes == ("size",)
    assert change(state(recorded), state(thing("a", {"size": 1}))).ignore_changes == ("size",)
    assert change(state(recorded), state()).ignore_changes == ("size",)


def test_a_value_that_the_new_program_set_is_restored_though_the_old_one_ignored_it() -> None:
    for path in ("size", "size.deep[0]", '["size"]', "*"):
        recorded = thing("a", {"size": 1}, ignore_changes=(path,))
        assert change(state(recorded), state(thing("a", {"size": 9}))).ignore_changes == ()


def test_only_protected_resources_that_must_go_are_unprotected() -> None:
    kept = thing("a", protect=True)
    current = state(kept, thing("new", protect=True), thing("renamed", id="id-old", protect=True), thing("plain"))
    freed = unprotected(state(kept, thing("old")), current)
    assert freed
    assert {resource.name: resource.protect for resource in freed.live if resource.protect} == {
        "a": True,
        "renamed": True,
    }
    assert len(freed.live) == len(current.live)


def test_nothing_is_prepared_where_nothing_is_in_the_way() -> None:
    assert unprotected(state(thing("a", protect=True)), state(thing("a", protect=True), thing("b"))) is None
