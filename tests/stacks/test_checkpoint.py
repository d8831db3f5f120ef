# ruff: noqa: ANN401 - a property value may be anything
from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phases.errors import LaunchError
from stacks.checkpoint import Checkpoint, PendingOperation, Resource
from stacks.replay_values import SIG_KEY, UNKNOWN, Signature, from_state, holds_secret, is_secret, plain, walk
from tests.stacks.replay_builders import STACK, asset, secret, state, thing

PLAINTEXT = {SIG_KEY: Signature.SECRET.value, "plaintext": '"hunter2"'}

EXPORTED: dict[str, Any] = {
    "manifest": {"version": "v3.259.0"},
    "resources": [
        {
            "urn": STACK,
            "type": "pulumi:pulumi:Stack",
            "custom": False,
            "outputs": {"password": PLAINTEXT, "url": "http://shop"},
        },
        {
            "urn": "urn:pulumi:dev::shop::pulumi:providers:test::default_1_2_3",
            "type": "pulumi:providers:test",
            "custom": True,
            "id": "p-1",
            "inputs": {"version": "1.2.3"},
        },
        {
            "urn": "urn:pulumi:dev::shop::test:index:Thing::a",
            "type": "test:index:Thing",
            "custom": True,
            "id": "a-1",
            "parent": STACK,
            "provider": "urn:pulumi:dev::shop::pulumi:providers:test::default_1_2_3::p-1",
            "inputs": {"password": PLAINTEXT, "deep": [{"token": PLAINTEXT}]},
            "outputs": {"address": "10.0.0.1"},
            "protect": True,
            "retainOnDelete": True,
            "dependencies": ["urn:1"],
            "propertyDependencies": {"password": ["urn:1"], "deep": None},
            "additionalSecretOutputs": ["address"],
            "aliases": ["urn:old"],
            "customTimeouts": {"create": 300, "delete": 1.5},
            "importID": "a-import",
            "deletedWith": "urn:2",
            "replaceWith": ["urn:3"],
            "ignoreChanges": ["deep[0].token"],
            "hideDiff": ["deep[0].token"],
            "replaceOnChanges": ["password"],
            "replacementTrigger": 0,
            "refreshBeforeUpdate": True,
            "resourceHooks": {"BeforeDelete": ["drain"]},
            "taint": True,
            "pendingReplacement": True,
            "initErrors": ["not ready"],
            "viewOf": "urn:4",
            "extensionRef": "ext",
            "snippetID": "snippet",
            "external": True,
        },
        {"urn": "urn:pulumi:dev::shop::test:index:Thing::b", "type": "test:index:Thing", "delete": True},
    ],
    "pending_operations": [{"resource": {"urn": "urn:9", "type": "t"}, "type": "creating"}],
}


def test_reads_every_option_that_the_state_records() -> None:
    found = Checkpoint.from_deployment(EXPORTED).resources[2]
    assert found == Resource(
        urn="urn:pulumi:dev::shop::test:index:Thing::a",
        type="test:index:Thing",
        custom=True,
        id="a-1",
        parent=STACK,
        provider="urn:pulumi:dev::shop::pulumi:providers:test::default_1_2_3::p-1",
        external=True,
        inputs={"password": secret("hunter2"), "deep": [{"token": secret("hunter2")}]},
        outputs={"address": "10.0.0.1"},
        protect=True,
        retain_on_delete=True,
        dependencies=("urn:1",),
        property_dependencies={"password": ("urn:1",), "deep": ()},
        additional_secret_outputs=("address",),
        aliases=("urn:old",),
        timeouts={"create": 300.0, "delete": 1.5},
        import_id="a-import",
        deleted_with="urn:2",
        replace_with=("urn:3",),
        ignore_changes=("deep[0].token",),
        hide_diff=("deep[0].token",),
        replace_on_changes=("password",),
        replacement_trigger=0,
        refresh_before_update=True,
        hooks={"BeforeDelete": ("drain",)},
        taint=True,
        pending_replacement=True,
        init_errors=("not ready",),
        view_of="urn:4",
        extension="ext",
        snippet="snippet",
    )


def test_knows_what_each_resource_is() -> None:
    checkpoint = Checkpoint.from_deployment(EXPORTED)
    root, provider, managed, leftover = checkpoint.resources
    assert checkpoint.root is root
    assert provider.is_provider
    assert provider.package == "test"
    assert (managed.name, managed.package) == ("a", "test")
    assert managed.provider_urn == provider.urn
    assert leftover.deleting
    assert checkpoint.live == (root, provider, managed)
    assert checkpoint.pending == (PendingOperation("urn:9", "creating"),)
    assert not checkpoint.interrupted
    assert plain(checkpoint.outputs["password"]) == "hunter2"


def test_a_name_may_hold_the_separator() -> None:
    assert Resource("urn:pulumi:s::p::t:i:T::a::b", "t:i:T").name == "a::b"


def test_json_brings_everything_back() -> None:
    checkpoint = Checkpoint.from_deployment(EXPORTED)
    assert Checkpoint.from_json(checkpoint.to_json()) == checkpoint


def test_no_repr_shows_a_value() -> None:
    checkpoint = Checkpoint.from_deployment(EXPORTED)
    assert "hunter2" not in repr(checkpoint)
    assert "10.0.0.1" not in repr(checkpoint)
    assert "hunter2" in checkpoint.to_json()


def test_a_stack_that_was_never_updated_is_an_empty_checkpoint() -> None:
    for nothing in ({}, {"resources": None}):
        checkpoint = Checkpoint.from_deployment(nothing)
        assert checkpoint == Checkpoint()
        assert checkpoint.empty
        assert checkpoint.root is None
        assert checkpoint.outputs == {}


def test_a_stack_with_nothing_but_itself_is_empty() -> None:
    assert state().empty
    assert not state(thing("a")).empty


def test_encrypted_secrets_are_refused_by_name_of_the_cure() -> None:
    sealed = {SIG_KEY: Signature.SECRET.value, "ciphertext": "v1:abc"}
    with pytest.raises(LaunchError, match=r"encrypted.*secrets shown"):
        Checkpoint.from_deployment({"resources": [{"urn": "u", "type": "t", "inputs": {"x": sealed}}]})


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format":1,"resources":[{"nonsense":1}],"pending":[]}'])
def test_anything_else_than_a_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(LaunchError, match="cannot be read"):
        Checkpoint.from_json(text)


def test_a_checkpoint_of_a_newer_version_is_refused_by_name() -> None:
    with pytest.raises(LaunchError, match="format 2"):
        Checkpoint.from_json(json.dumps({"format": 2, "resources": [], "pending": []}))


def test_numbers_that_json_cannot_say_are_understood() -> None:
    def bits(text: str) -> dict[str, str]:
        return {SIG_KEY: Signature.FLOAT.value, "value": text}

    assert from_state(bits("7ff0000000000000")) == math.inf
    assert from_state(bits("fff0000000000000")) == -math.inf
    assert math.isnan(from_state(bits("7ff8000000000001")))


def test_a_walk_opens_secrets_and_keeps_assets_whole() -> None:
    value = {"a": secret([1, secret(2)]), "b": asset(text="x")}
    places = [(path, item) for path, item in walk(value) if not isinstance(item, dict | list)]
    assert places == [(("a", 0), 1), (("a", 1), 2)]
    assert (("b",), asset(text="x")) in list(walk(value))
    assert holds_secret(value)
    assert not is_secret(value)


_scalars = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | st.text()
_values = st.recursive(
    _scalars | st.just(UNKNOWN),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=8), inner, max_size=3)
        | inner.map(secret)
        | st.builds(asset, text=st.text(max_size=5))
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.text(), _values, max_size=4))
def test_every_value_survives_json(inputs: dict[str, Any]) -> None:
    checkpoint = state(thing("a", inputs))
    assert Checkpoint.from_json(checkpoint.to_json()) == checkpoint


def _exported(value: Any) -> Any:
    """The value as an export writes it: secrets as JSON in plain text."""
    if is_secret(value):
        return {SIG_KEY: Signature.SECRET.value, "plaintext": json.dumps(_exported(value["value"]))}
    if isinstance(value, dict):
        return {key: _exported(item) for key, item in value.items()}
    return [_exported(item) for item in value] if isinstance(value, list) else value


@given(_values)
def test_every_exported_value_is_read_back(value: Any) -> None:
    def flat(item: Any) -> Any:
        """A secret right inside a secret is one secret."""
        if is_secret(item):
            inner = flat(item["value"])
            return inner if is_secret(inner) else secret(inner)
        if isinstance(item, dict):
            return {key: flat(below) for key, below in item.items()}
        return [flat(below) for below in item] if isinstance(item, list) else item

    assert from_state(_exported(value)) == flat(value)
