# ruff: noqa: ANN401 - a property value may be anything
from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from stacks.checkpoint import Resource
from stacks.replay_changes import Adjustment
from stacks.replay_live import Live, Registered
from stacks.replay_requests import as_value, from_value, program_inputs, read, register
from stacks.replay_values import SIG_KEY, UNKNOWN, Signature
from stacks.replay_wiring import wiring
from tests.stacks.replay_builders import PROVIDER, STACK, component, provider, secret, state, thing, urn

NOTHING = Adjustment()


def request(
    resource: Resource, live: Live | None = None, change: Adjustment = NOTHING, parent: Resource | None = None
) -> Any:
    found = wiring(state(resource))
    return register(resource, wiring=found, live=live or Live(), parent=parent, change=change)


def test_every_recorded_option_is_said_again() -> None:
    recorded = thing(
        "b",
        {"target": "x", "plain": 1},
        uses={"target": ("a",)},
        protect=True,
        retain_on_delete=True,
        additional_secret_outputs=("address",),
        timeouts={"create": 300.0, "delete": 1.5},
        deleted_with=urn("a"),
        replace_with=(urn("a"),),
        hide_diff=('deep[0]["a.b"]',),
        replace_on_changes=("target",),
        replacement_trigger={"at": secret(7)},
        hooks={"BeforeDelete": ("drain",), "OnError": ("retry",)},
    )
    change = Adjustment(aliases=("urn:old",), import_id="imported", ignore_changes=("plain",))
    found = request(recorded, change=change)
    assert (found.type, found.name, found.parent, found.custom) == ("test:index:Thing", "b", STACK, True)
    assert found.protect
    assert found.retainOnDelete
    assert list(found.dependencies) == [urn("a")]
    assert {key: list(value.urns) for key, value in found.propertyDependencies.items()} == {
        "target": [urn("a")],
        "plain": [],
    }
    assert list(found.additionalSecretOutputs) == ["address"]
    assert (found.customTimeouts.create, found.customTimeouts.delete) == ("300.0s", "1.5s")
    assert found.customTimeouts.update == ""
    assert found.deletedWith == urn("a")
    assert list(found.replace_with) == [urn("a")]
    assert list(found.hideDiffs) == ['deep[0]["a.b"]']
    assert list(found.replaceOnChanges) == ["target"]
    assert from_value(found.replacement_trigger) == {"at": secret(7)}
    assert list(found.hooks.before_delete) == ["drain"]
    assert list(found.hooks.on_error) == ["retry"]
    assert [alias.urn for alias in found.aliases] == ["urn:old"]
    assert found.importId == "imported"
    assert list(found.ignoreChanges) == ["plain"]


def test_what_is_given_a_new_address_is_not_imported() -> None:
    """The engine refuses to replace what it was asked to import, and the address may force it to."""
    origin = thing("a", made={"address": secret("addr-1"), "port": 8123})
    recorded = thing("b", {"target": secret("addr-1"), "port": 8123.0}, uses={"target": ("a",), "port": ("a",)})
    found = wiring(state(origin, recorded))

    def imported(address: str) -> str:
        live = Live(answers={urn("a"): Registered(urn("a"), "id-a", {"address": secret(address), "port": 8123.0})})
        change = Adjustment(import_id="id-b")
        return str(register(recorded, wiring=found, live=live, parent=None, change=change).importId)

    assert imported("addr-1") == "id-b"
    assert imported("addr-2") == ""


def test_what_the_state_does_not_record_is_left_to_the_provider() -> None:
    found = request(thing("a"))
    assert not found.deleteBeforeReplaceDefined
    assert not found.HasField("replacement_trigger")
    assert not found.HasField("customTimeouts")


def test_protection_is_said_even_where_there_is_none() -> None:
    """Otherwise the engine would let a child inherit it from its parent."""
    found = request(thing("a"))
    assert found.HasField("protect")
    assert not found.protect
    assert found.HasField("retainOnDelete")


def test_components_say_only_what_they_would_not_inherit() -> None:
    keeping = component("top", retain_on_delete=True)
    assert not request(component("g"), parent=component("top")).HasField("retainOnDelete")
    assert not request(component("g", retain_on_delete=True), parent=keeping).HasField("retainOnDelete")
    assert request(component("g"), parent=keeping).HasField("retainOnDelete")


def test_names_of_properties_are_kept_as_they_are() -> None:
    inputs = {"snake_case": 1, "camelCase": {"inner_key": 2}, "with.dot": 3, "nothing": None, "empty": [None]}
    found = request(thing("a", inputs)).object
    assert {key: from_value(value) for key, value in found.fields.items()} == inputs


def test_the_live_provider_is_named() -> None:
    live = Live(answers={PROVIDER: Registered(PROVIDER, "p-new")})
    assert request(thing("a"), live).provider == f"{PROVIDER}::p-new"
    assert request(thing("a"), Live(preview=True, answers={PROVIDER: Registered(PROVIDER)})).provider == (
        f"{PROVIDER}::{UNKNOWN}"
    )
    assert request(component("g")).provider == ""


def test_a_provider_resource_says_which_plugin_it_is() -> None:
    internal = {"pluginDownloadURL": "https://plugins.example.org"}
    found = request(provider("1.2.3", __internal=internal, region="eu"))
    assert found.version == "1.2.3"
    assert found.pluginDownloadURL == "https://plugins.example.org"
    old = request(provider("1.2.3", pluginDownloadURL="https://old.example.org"))
    assert old.pluginDownloadURL == "https://old.example.org"
    assert request(provider()).version == ""
    assert request(thing("a", {"version": "7"})).version == ""


def test_what_was_read_is_read_again() -> None:
    recorded = thing("a", {"filter": "x"}, id="vpc-1", external=True, additional_secret_outputs=("key",))
    found = read(recorded, wiring=wiring(state(recorded)), live=Live())
    assert (found.id, found.type, found.name, found.parent) == ("vpc-1", "test:index:Thing", "a", STACK)
    assert found.provider == f"{PROVIDER}::p-1"
    assert found.properties["filter"] == "x"
    assert list(found.additionalSecretOutputs) == ["key"]


def test_a_reference_to_a_resource_gets_its_live_id() -> None:
    reference = {SIG_KEY: Signature.RESOURCE.value, "urn": urn("a"), "id": "id-a", "packageVersion": "1"}
    live = Live(answers={urn("a"): Registered(urn("a"), "id-new")})
    found = from_value(request(thing("b", {"ref": [reference]}), live).object.fields["ref"])
    assert found == [{**reference, "id": "id-new"}]


def test_values_the_provider_filled_in_are_left_to_it() -> None:
    """Given back, a generated name would be the program's own, and its next ordinary update would replace it."""
    inputs = {
        "__defaults": ["name"],
        "name": "bucket-1f3a",
        "acl": "private",
        "rules": [{"__defaults": ["priority"], "priority": 1, "id": "x"}],
    }
    assert program_inputs(inputs) == {"acl": "private", "rules": [{"id": "x"}]}
    assert program_inputs({"name": "x"}) == {"name": "x"}


_values = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@given(_values)
def test_every_value_survives_the_protocol(value: Any) -> None:
    assert from_value(as_value(value)) == value
