"""What the engine asks, how it reaches a resource, and how the answer is dressed."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pulumi
import pytest
from pulumi.provider.experimental import provider as pulumi_provider
from pulumi.provider.experimental.property_value import PropertyValue
from pulumi.runtime.rpc import UNKNOWN as SIGN

from components.provider.provider import InitFailed, LaunchProvider
from components.provider.resource import Cancelled, ResourceFailure

Asked = list[tuple[Any, ...]]
KIND = pulumi_provider.PropertyDiffKind


def value(content: Any, *, secret: bool = False) -> PropertyValue:  # noqa: ANN401 - any property value
    if isinstance(content, dict):
        content = {key: item if isinstance(item, PropertyValue) else value(item) for key, item in content.items()}
    return PropertyValue(content, is_secret=secret)


def given(**inputs: Any) -> dict[str, PropertyValue]:  # noqa: ANN401 - any property value
    return {name: item if isinstance(item, PropertyValue) else value(item) for name, item in inputs.items()}


HIDDEN = value("hunter2", secret=True)


class TestCheck:
    def ask(self, provider: LaunchProvider, urn: str, **inputs: Any) -> Any:  # noqa: ANN401 - a response
        return asyncio.run(provider.check(pulumi_provider.CheckRequest(urn, {}, given(**inputs), b"")))

    def test_good_inputs_come_back_with_defaults(self, provider: LaunchProvider, urn: str) -> None:
        response = self.ask(provider, urn, text="hello", size=None)
        assert response.failures == []
        assert response.inputs == given(text="hello", board="main")

    def test_secrets_and_unknown_values_come_back_as_such(self, provider: LaunchProvider, urn: str) -> None:
        inputs = given(text=SIGN, labels={"a": HIDDEN, "b": "c"}, board="main")
        assert self.ask(provider, urn, **inputs).inputs == inputs

    def test_wrong_types_are_named_before_the_resource_is_asked(
        self, provider: LaunchProvider, urn: str, asked: Asked
    ) -> None:
        response = self.ask(provider, urn, text=1.0, colour="red")
        assert [failure.property for failure in response.failures] == ["colour", "text"]
        assert asked == []

    def test_the_resource_adds_what_only_it_knows(self, provider: LaunchProvider, urn: str) -> None:
        response = self.ask(provider, urn, text="rude")
        assert [(f.property, f.reason) for f in response.failures] == [("text", "is 'rude', which is rude")]

    def test_an_asset_is_named_as_a_mistake(self, provider: LaunchProvider, urn: str) -> None:
        response = self.ask(provider, urn, text="a", labels=value({"k": PropertyValue(pulumi.FileAsset("/f"))}))
        assert [(f.property, f.reason) for f in response.failures] == [
            ("labels", "is or holds a FileAsset, which no resource here takes; pass a path as a string")
        ]

    def test_a_secret_is_not_shown_in_a_failure(self, provider: LaunchProvider, urn: str) -> None:
        response = self.ask(provider, urn, text=value("rude", secret=True))
        assert [f.reason for f in response.failures] == ["is '[secret]', which is [secret]"]

    def test_the_resource_hears_what_it_had_before(self, provider: LaunchProvider, urn: str, asked: Asked) -> None:
        request = pulumi_provider.CheckRequest(urn, given(text="old", size=2.0), given(text="new"), b"")
        asyncio.run(provider.check(request))
        ((_, inputs, old),) = asked
        assert inputs == {"text": "new", "board": "main"}
        assert old == {"text": "old", "size": 2, "board": "main"}


class TestDiff:
    def ask(self, provider: LaunchProvider, urn: str, old: dict[str, Any], new: dict[str, Any]) -> Any:  # noqa: ANN401
        request = pulumi_provider.DiffRequest(urn, "note-1", given(**old), given(**new), [])
        return asyncio.run(provider.diff(request))

    def test_nothing_has_changed(self, provider: LaunchProvider, urn: str) -> None:
        old = {"text": "a", "board": "main", "size": 1.0, "length": 1.0, "number": 1.0}
        response = self.ask(provider, urn, old, {"text": "a", "size": 1.0})
        assert (response.changes, response.detailed_diff) == (False, {})

    def test_paths_and_kinds(self, provider: LaunchProvider, urn: str) -> None:
        response = self.ask(
            provider,
            urn,
            {"text": "a", "board": "main", "labels": {"x": "1", "y": "2"}},
            {"text": "b", "board": "other", "size": 1.0, "labels": {"x": "1"}},
        )
        assert response.changes is True
        assert {path: difference.kind for path, difference in response.detailed_diff.items()} == {
            "text": KIND.UPDATE,
            "board": KIND.UPDATE_REPLACE,
            "size": KIND.ADD,
            "labels.y": KIND.DELETE,
        }
        assert response.replaces == ["board"]
        assert set(response.diffs) == {"text", "board", "size", "labels"}

    def test_a_value_that_has_become_secret_is_a_change(self, provider: LaunchProvider, urn: str) -> None:
        response = self.ask(
            provider,
            urn,
            {"text": "a", "board": "main", "labels": {"k": "hunter2"}},
            {"text": "a", "labels": {"k": HIDDEN}},
        )
        assert list(response.detailed_diff) == ["labels"]
        again = self.ask(
            provider,
            urn,
            {"text": "a", "board": "main", "labels": {"k": HIDDEN}},
            {"text": "a", "labels": {"k": HIDDEN}},
        )
        assert again.changes is False

    def test_something_unknown_is_a_change(self, provider: LaunchProvider, urn: str) -> None:
        response = self.ask(provider, urn, {"text": "a", "board": "main"}, {"text": SIGN})
        assert list(response.detailed_diff) == ["text"]


class TestCreate:
    def ask(self, provider: LaunchProvider, urn: str, *, preview: bool = False, **inputs: Any) -> Any:  # noqa: ANN401
        request = pulumi_provider.CreateRequest(urn, given(**inputs), 5.0, preview)
        return asyncio.run(provider.create(request))

    def test_inputs_are_echoed_and_secrets_stay_secret(self, provider: LaunchProvider, urn: str) -> None:
        response = self.ask(provider, urn, text="hello", labels={"k": HIDDEN}, size=2.0)
        assert response.resource_id == "note-1"
        assert response.properties == given(
            text="hello", board="main", labels={"k": HIDDEN}, size=2.0, length=5.0, number=1.0
        )

    def test_what_is_made_from_a_secret_is_secret(self, provider: LaunchProvider, urn: str) -> None:
        response = self.ask(provider, urn, text=HIDDEN)
        assert response.properties["length"].is_secret
        assert not response.properties["number"].is_secret

    def test_the_resource_gets_whole_numbers_and_the_users_time_limit(
        self, provider: LaunchProvider, urn: str, asked: Asked
    ) -> None:
        self.ask(provider, urn, text="hello", size=2.0)
        ((_, inputs, context),) = asked
        assert isinstance(inputs["size"], int)
        assert (context.urn, context.timeout) == (urn, 5.0)

    def test_a_preview_creates_nothing(self, provider: LaunchProvider, urn: str, asked: Asked) -> None:
        response = self.ask(provider, urn, preview=True, text="hello")
        assert response.resource_id == ""
        assert response.properties == given(text="hello", board="main", length=5.0, number=SIGN)
        assert asked == []

    def test_what_follows_from_something_unknown_is_unknown(self, provider: LaunchProvider, urn: str) -> None:
        assert self.ask(provider, urn, preview=True, text=SIGN).properties["length"] == value(SIGN)

    def test_a_failure_hides_secrets(self, provider: LaunchProvider, urn: str) -> None:
        with pytest.raises(ResourceFailure, match=r"the pen broke while writing {'k': '\[secret\]'}"):
            self.ask(provider, urn, text="fail", labels={"k": HIDDEN})

    def test_what_is_there_after_a_failure_is_recorded(self, provider: LaunchProvider, urn: str) -> None:
        with pytest.raises(InitFailed, match=r"smudged: {'k': '\[secret\]'}") as error:
            self.ask(provider, urn, text="smudge", labels={"k": HIDDEN})
        assert error.value.id == "note-1"
        assert error.value.properties["labels"] == value({"k": HIDDEN})


class TestUpdate:
    def ask(self, provider: LaunchProvider, urn: str, *, preview: bool = False, **news: Any) -> Any:  # noqa: ANN401
        olds = given(text="old", length=3.0, number=4.0, board="main")
        request = pulumi_provider.UpdateRequest(urn, "note-1", olds, given(**news), 0.0, [], preview)
        return asyncio.run(provider.update(request))

    def test_outputs_carry_over(self, provider: LaunchProvider, urn: str, asked: Asked) -> None:
        assert self.ask(provider, urn, text="newer").properties == given(
            text="newer", board="main", length=5.0, number=4.0
        )
        ((_, id_, old, new, _),) = asked
        assert (id_, old["number"], new["text"]) == ("note-1", 4, "newer")

    def test_a_preview_changes_nothing(self, provider: LaunchProvider, urn: str, asked: Asked) -> None:
        assert self.ask(provider, urn, preview=True, text="newer").properties["number"] == value(4.0)
        assert asked == []

    def test_what_is_there_after_a_failure_is_recorded(self, provider: LaunchProvider, urn: str) -> None:
        with pytest.raises(InitFailed, match="smudged") as error:
            self.ask(provider, urn, text="smudge")
        assert error.value.id == "note-1"


class TestRead:
    def ask(self, provider: LaunchProvider, urn: str, id_: str, **properties: Any) -> Any:  # noqa: ANN401
        inputs = {name: item for name, item in properties.items() if name not in {"length", "number"}}
        request = pulumi_provider.ReadRequest(urn, id_, given(**properties), given(**inputs))
        return asyncio.run(provider.read(request))

    def test_what_was_found_is_dressed_as_the_record_was(self, provider: LaunchProvider, urn: str) -> None:
        response = self.ask(provider, urn, "note-1", text=HIDDEN, length=value(7.0, secret=True), number=1.0)
        assert response.properties["text"] == value("edited", secret=True)
        assert response.properties["length"].is_secret
        assert response.inputs == given(text=HIDDEN)

    def test_what_is_gone_has_no_id(self, provider: LaunchProvider, urn: str) -> None:
        assert self.ask(provider, urn, "gone", text="a").resource_id == ""

    def test_an_import_finds_its_own_inputs(self, provider: LaunchProvider, urn: str) -> None:
        response = self.ask(provider, urn, "note-7")
        assert response.inputs == given(text="imported")
        assert response.properties["number"] == value(7.0)


def test_delete_knows_the_record(provider: LaunchProvider, urn: str, asked: Asked) -> None:
    asyncio.run(provider.delete(pulumi_provider.DeleteRequest(urn, "note-1", given(text="a", number=3.0), 0.0)))
    ((_, id_, outputs, _),) = asked
    assert (id_, outputs) == ("note-1", {"text": "a", "number": 3, "board": "main"})


def test_an_unknown_type_names_the_known(provider: LaunchProvider) -> None:
    urn = "urn:pulumi:dev::shop::test:index:Letter::first"
    with pytest.raises(
        ResourceFailure, match="test:index:Letter is no resource of this provider; there are test:index:Note"
    ):
        asyncio.run(provider.check(pulumi_provider.CheckRequest(urn, {}, {}, b"")))


def test_a_cancellation_ends_what_waits_and_lets_nothing_begin(provider: LaunchProvider, urn: str) -> None:
    async def story() -> None:
        request = pulumi_provider.CreateRequest(urn, given(text="wait"), 0.0, preview=False)
        waiting = asyncio.create_task(provider.create(request))
        await asyncio.sleep(0)
        await provider.cancel()
        with pytest.raises(Cancelled):
            await waiting
        with pytest.raises(Cancelled, match="before this began"):
            await provider.create(request)

    asyncio.run(story())


def test_the_provider_says_that_it_understands_secrets_and_previews(provider: LaunchProvider) -> None:
    request = pulumi_provider.ConfigureRequest({}, {}, accept_secrets=True, accept_resources=True)
    response = asyncio.run(provider.configure(request))
    assert (response.accept_secrets, response.supports_preview) == (True, True)
    assert (response.accept_outputs, response.accept_resources) == (False, False)


def test_the_schema_is_served(provider: LaunchProvider) -> None:
    response = asyncio.run(provider.get_schema(pulumi_provider.GetSchemaRequest(0)))
    assert response.schema is not None
    schema = json.loads(response.schema)
    assert (schema["name"], schema["version"]) == ("launch", "1.2.3")
    assert schema["resources"]["test:index:Note"]["requiredInputs"] == ["text"]


def test_some_resources_are_read_before_every_update(note: type[Any], urn: str) -> None:
    assert LaunchProvider({}, "1", drifting={"test:index:Note"}).drifts(urn)
    assert not LaunchProvider({"test:index:Note": note}, "1").drifts(urn)
