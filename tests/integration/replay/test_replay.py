# ruff: noqa: ANN401 - a property value may be anything
"""Replay on the real engine, one story a test."""

from __future__ import annotations

import dataclasses
import hashlib
import tarfile
import threading
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pulumi
import pytest

from phases.errors import UpdateFailed, UpdateStopped
from stacks import parachute, replay
from stacks.checkpoint import Checkpoint
from stacks.parachute import Parachute
from stacks.replay_assets import lost
from stacks.replay_changes import unprotected
from stacks.replay_check import problems
from stacks.replay_values import plain

if TYPE_CHECKING:
    from tests.integration.replay.conftest import Sandbox

pytestmark = pytest.mark.integration

THING = "replaytest:index:Thing"
MADE = ("address", "port", "token", "nested")


def thing(name: str, kind: str = THING, opts: pulumi.ResourceOptions | None = None, **props: Any) -> Any:
    return pulumi.CustomResource(kind, name, {**dict.fromkeys(MADE), **props}, opts)


def group(name: str, **opts: Any) -> pulumi.ComponentResource:
    return pulumi.ComponentResource("test:index:Group", name, None, pulumi.ResourceOptions(**opts))


def by_name(checkpoint: Checkpoint) -> dict[str, Any]:
    return {resource.name: resource for resource in checkpoint.live}


def test_a_version_is_rolled_back_with_all_it_changed(sandbox: Sandbox) -> None:
    """Something is replaced, updated, added, removed; everything comes back, and the new address is fed on."""

    def version(number: int) -> Callable[[], None]:
        def program() -> None:
            top = group("top")
            a = thing("a", opts=pulumi.ResourceOptions(parent=top), force=number, password=pulumi.Output.secret("pw"))
            port = a.port.apply(lambda found: str(int(found)))
            thing(
                "b",
                opts=pulumi.ResourceOptions(parent=top),
                size=number,
                target=a.address,
                url=pulumi.Output.concat("http://", a.address, ":", port, "/health"),
                deep={"list": [a.nested["host"], "x"], "key": a.token},
            )
            thing(f"only-in-{number}", x=number)
            top.register_outputs({"address": a.address, "version": number})
            pulumi.export("url", pulumi.Output.concat("http://", a.address, ":", port))
            pulumi.export("token", a.token)
            pulumi.export("version", number)

        return program

    sandbox.up(version(1))
    one = sandbox.state()
    assert sandbox.replay(one).changes == {"same": 5}, "what is there already is left alone"

    sandbox.up(version(2))
    done = sandbox.replay(one, current=sandbox.state())
    assert done.changes == {"create": 1, "delete": 1, "replace": 1, "update": 1, "same": 2}
    back = sandbox.state()
    a, b = by_name(back)["a"], by_name(back)["b"]
    assert by_name(back).keys() == by_name(one).keys()
    assert a.outputs["address"] != by_name(one)["a"].outputs["address"]
    assert plain(b.inputs) == {
        "size": 1,
        "target": a.outputs["address"],
        "url": f"http://{a.outputs['address']}:{a.outputs['port']}/health",
        "deep": {"list": [a.outputs["nested"]["host"], "x"], "key": plain(a.outputs["token"])},
    }
    assert b.inputs["deep"]["key"] == a.outputs["token"] != plain(a.outputs["token"]), "it is still a secret"
    assert by_name(back)["top"].outputs == {"address": a.outputs["address"], "version": 1}
    assert plain(back.outputs) == {
        "url": f"http://{a.outputs['address']}:{a.outputs['port']}",
        "token": plain(a.outputs["token"]),
        "version": 1,
    }
    assert back.outputs["token"] != plain(back.outputs["token"])
    assert sandbox.things() == {resource.id for resource in back.live if resource.type == THING}

    assert sandbox.replay(one, current=back).changes == {"same": 5}, "the second replay has nothing to do"
    assert sandbox.replay(Checkpoint()).changes == {"delete": 4, "same": 1}
    assert sandbox.things() == set()
    assert sandbox.state().empty


def test_every_recorded_option_is_recorded_again(sandbox: Sandbox) -> None:
    def program(*, plain_version: bool) -> Callable[[], None]:
        def run() -> None:
            base = thing("base")
            options = pulumi.ResourceOptions(
                protect=True,
                depends_on=[base],
                additional_secret_outputs=["address"],
                custom_timeouts=pulumi.CustomTimeouts(create="5m", update="90s", delete="1h"),
                retain_on_delete=True,
                deleted_with=base,
                replace_with=[base],
                ignore_changes=["ignored", "map.a", "list[0]"],
                replace_on_changes=["watched"],
                replacement_trigger=pulumi.Output.secret({"build": 7}),
                hide_diffs=["map.a", 'map["b.c"]', "list[0]"],
                aliases=[pulumi.Alias(name="former")],
                version="1.0.0",
            )
            inputs: dict[str, Any] = {"ignored": 1, "map": {"a": 1, "b.c": 2}, "list": [1], "watched": 1}
            if plain_version:
                thing("full", **inputs)
            else:
                thing("full", opts=options, **inputs)

        return run

    sandbox.up(lambda: thing("former", ignored=1, map={"a": 1, "b.c": 2}, list=[1], watched=1) and None)
    sandbox.up(program(plain_version=False))
    one = sandbox.state()
    full = by_name(one)["full"]
    assert sandbox.replay(one).changes.keys() == {"same"}
    sandbox.up(program(plain_version=True))
    sandbox.replay(one, current=sandbox.state())
    again = by_name(sandbox.state())["full"]
    for option in (
        "protect",
        "retain_on_delete",
        "additional_secret_outputs",
        "timeouts",
        "deleted_with",
        "replace_with",
        "ignore_changes",
        "hide_diff",
        "replace_on_changes",
        "replacement_trigger",
        "parent",
        "custom",
        "type",
        "inputs",
    ):
        assert getattr(again, option) == getattr(full, option), option
    assert set(again.dependencies) == set(full.dependencies)
    assert {key: set(urns) for key, urns in again.property_dependencies.items()} == {
        key: set(urns) for key, urns in full.property_dependencies.items()
    }
    assert again.id == full.id
    assert sandbox.replay(one, current=sandbox.state()).changes.keys() == {"same"}


def test_a_changed_trigger_replaces_again(sandbox: Sandbox) -> None:
    def program(build: int) -> Callable[[], None]:
        return lambda: thing("a", opts=pulumi.ResourceOptions(replacement_trigger=build)) and None

    sandbox.up(program(1))
    one = sandbox.state()
    sandbox.up(program(2))
    assert sandbox.replay(one).changes["replace"] == 1
    assert by_name(sandbox.state())["a"].replacement_trigger == 1


def test_a_renamed_resource_keeps_its_identity(sandbox: Sandbox) -> None:
    """Also after a second update of the new version, when the state no longer names the alias."""

    def one() -> None:
        top = group("top")
        thing("old", opts=pulumi.ResourceOptions(parent=top), x=1)

    def two() -> None:
        top = group("renamed", aliases=[pulumi.Alias(name="top")])
        opts = pulumi.ResourceOptions(parent=top, aliases=[pulumi.Alias(name="old")])
        thing("new", opts=opts, x=2)

    sandbox.up(one)
    before = sandbox.state()
    sandbox.up(two)
    sandbox.up(two)
    sandbox.replay(before, current=sandbox.state())
    back = by_name(sandbox.state())
    assert back["old"].id == by_name(before)["old"].id
    assert back["old"].inputs == {"x": 1}
    assert "new" not in back
    assert not [line for line in sandbox.log() if line.startswith("delete")]
    assert sandbox.replay(before).changes.keys() == {"same"}


def test_a_resource_that_was_let_go_of_is_taken_over_again(sandbox: Sandbox) -> None:
    sandbox.up(lambda: thing("db", opts=pulumi.ResourceOptions(retain_on_delete=True), x=1) and None)
    one = sandbox.state()
    sandbox.up(lambda: None)
    assert len(sandbox.things()) == 1
    sandbox.replay(one, current=sandbox.state())
    back = by_name(sandbox.state())["db"]
    assert back.id == by_name(one)["db"].id
    assert back.inputs == {"x": 1}
    assert back.retain_on_delete
    assert len(sandbox.things()) == 1
    assert sandbox.replay(one, current=sandbox.state()).changes.keys() == {"same"}


def test_a_protected_resource_that_the_new_version_added_is_removed(sandbox: Sandbox) -> None:
    sandbox.up(lambda: thing("a") and None)
    one = sandbox.state()

    def two() -> None:
        thing("a")
        thing("new", opts=pulumi.ResourceOptions(protect=True))

    sandbox.up(two)
    two_state = sandbox.state()
    with pytest.raises(UpdateFailed, match="protect"):
        sandbox.replay(one, current=two_state)
    freed = unprotected(one, two_state)
    assert freed
    sandbox.replay(freed, current=two_state)
    assert sandbox.replay(one, current=sandbox.state()).changes["delete"] == 1
    assert len(sandbox.things()) == 1


def test_values_that_one_version_ignores_are_restored(sandbox: Sandbox) -> None:
    ignoring = pulumi.ResourceOptions(ignore_changes=["size"])
    sandbox.up(lambda: thing("a", opts=ignoring, size=1) and None)
    one = sandbox.state()
    sandbox.up(lambda: thing("a", size=9) and None)
    sandbox.replay(one, current=sandbox.state())
    assert by_name(sandbox.state())["a"].inputs == {"size": 1}
    assert sandbox.replay(one, current=sandbox.state()).changes.keys() == {"same"}
    assert by_name(sandbox.state())["a"].ignore_changes == ("size",)


def test_explicit_providers_come_back_with_their_configuration(sandbox: Sandbox) -> None:
    def program(region: str, *, keep: bool = True) -> Callable[[], None]:
        def run() -> None:
            config = {"region": region, "key": pulumi.Output.secret("pk")}
            provider = pulumi.ProviderResource(
                "replaytest", "regional", config, pulumi.ResourceOptions(version="1.0.0")
            )
            if keep:
                thing("a", opts=pulumi.ResourceOptions(provider=provider))
            thing("b")

        return run

    sandbox.up(program("eu"))
    one = sandbox.state()
    assert sandbox.replay(one).changes.keys() == {"same"}
    sandbox.up(program("us", keep=False))
    sandbox.replay(one, current=sandbox.state())
    back = by_name(sandbox.state())
    assert back["regional"].inputs == by_name(one)["regional"].inputs
    assert plain(back["regional"].inputs)["region"] == "eu"
    assert back["a"].provider_urn == back["regional"].urn
    assert sandbox.replay(one).changes.keys() == {"same"}


def test_names_made_up_by_the_provider_stay_its_own(sandbox: Sandbox) -> None:
    """After a rollback the old program, which sets no name, still finds its resource and replaces nothing."""

    def program(size: int) -> Callable[[], None]:
        return lambda: thing("n", "replaytest:index:Named", size=size) and None

    sandbox.up(program(1))
    one = sandbox.state()
    sandbox.up(program(2))
    sandbox.replay(one, current=sandbox.state())
    assert by_name(sandbox.state())["n"].inputs == by_name(one)["n"].inputs
    assert sandbox.up(program(1)).keys() == {"same"}


def test_components_made_by_a_plugin_come_back_as_they_were(sandbox: Sandbox) -> None:
    class Kit(pulumi.ComponentResource):
        address: pulumi.Output[str]

        def __init__(self, name: str, size: int) -> None:
            super().__init__("replaytest:index:Kit", name, {"size": size, "address": None}, None, remote=True)

    def program(size: int) -> Callable[[], None]:
        def run() -> None:
            kit = Kit("kit", size)
            thing("user", target=kit.address)

        return run

    sandbox.up(program(1))
    one = sandbox.state()
    assert sandbox.replay(one).changes.keys() == {"same"}
    sandbox.up(lambda: None)
    sandbox.replay(one)
    back = by_name(sandbox.state())
    assert back.keys() == by_name(one).keys()
    part = back["kit-part"]
    assert part.inputs == by_name(one)["kit-part"].inputs
    assert back["user"].inputs["target"] == part.outputs["address"] != by_name(one)["kit-part"].outputs["address"]
    assert back["kit"].outputs["address"] == part.outputs["address"]
    assert sandbox.up(program(1)).keys() == {"same"}, "the program itself finds everything in place"


def test_what_was_read_is_read_again(sandbox: Sandbox) -> None:
    def program(size: int) -> Callable[[], None]:
        def run() -> None:
            a = thing("a", size=size)
            got = pulumi.CustomResource(THING, "got", dict.fromkeys(MADE), pulumi.ResourceOptions(id=a.id))
            thing("b", of=got.address)  # type: ignore[attr-defined]

        return run

    sandbox.up(program(1))
    one = sandbox.state()
    assert by_name(one)["got"].external
    sandbox.replay(one)
    assert by_name(sandbox.state()).keys() == by_name(one).keys()
    sandbox.up(program(2))
    sandbox.replay(one)
    back = by_name(sandbox.state())
    assert back["a"].inputs == {"size": 1}
    assert back["got"].id == back["a"].id
    assert back["b"].inputs == {"of": back["a"].outputs["address"]}


def test_a_reference_to_another_stack_keeps_what_was_read_then(sandbox: Sandbox) -> None:
    """Going back means going back: what the other stack says meanwhile is the business of its own launch."""
    other = sandbox.fresh()

    def program(size: int) -> Callable[[], None]:
        def run() -> None:
            reference = pulumi.StackReference(f"organization/replaying/{other.stack.name}")
            thing("a", url=reference.get_output("url"), size=size)

        return run

    other.up(lambda: pulumi.export("url", "http://one"))
    sandbox.up(program(1))
    one = sandbox.state()
    assert sandbox.replay(one).changes.keys() <= {"same", "read"}
    other.up(lambda: pulumi.export("url", "http://two"))
    sandbox.up(program(2))
    assert by_name(sandbox.state())["a"].inputs == {"size": 2, "url": "http://two"}
    sandbox.replay(one, current=sandbox.state())
    assert by_name(sandbox.state())["a"].inputs == {"size": 1, "url": "http://one"}


def test_a_renamed_provider_replaces_nothing(sandbox: Sandbox) -> None:
    def program(name: str, former: str) -> Callable[[], None]:
        def run() -> None:
            options = pulumi.ResourceOptions(aliases=[pulumi.Alias(name=former)] if former else None)
            provider = pulumi.ProviderResource("replaytest", name, {"region": "eu"}, options)
            thing("a", opts=pulumi.ResourceOptions(provider=provider))

        return run

    sandbox.up(program("one", ""))
    one = sandbox.state()
    sandbox.up(program("two", "one"))
    sandbox.up(program("two", ""))
    sandbox.replay(one, current=sandbox.state())
    assert by_name(sandbox.state())["a"].id == by_name(one)["a"].id
    assert len(sandbox.log()) == 1


def test_assets_come_back_without_being_read(sandbox: Sandbox, tmp_path: Path) -> None:
    """The state has their hash, so what has not changed needs no bytes, and the check knows whether they are there."""
    folder = tmp_path / "site"
    (folder / "sub").mkdir(parents=True)
    (folder / "index.html").write_text("hello")
    (folder / "sub" / "a.txt").write_text("a" * 1000)
    (folder / "sub-b.txt").write_text("b")
    packed = tmp_path / "pack.zip"
    with zipfile.ZipFile(packed, "w") as pack:
        pack.write(folder / "index.html", "inside/index.html")
    tarred = tmp_path / "pack.tar.gz"
    with tarfile.open(tarred, "w:gz") as tar:
        tar.add(folder, "all")

    def program() -> None:
        collection: dict[str, pulumi.Asset | pulumi.Archive] = {
            "text": pulumi.StringAsset("some text"),
            "file": pulumi.FileAsset(str(folder / "index.html")),
            "dir": pulumi.FileArchive(str(folder)),
            "zip": pulumi.FileArchive(str(packed)),
            "tar": pulumi.FileArchive(str(tarred)),
        }
        thing(
            "a",
            text=pulumi.StringAsset("héllo"),
            file=pulumi.FileAsset(str(folder / "index.html")),
            local=pulumi.RemoteAsset((folder / "index.html").as_uri()),
            folder=pulumi.FileArchive(str(folder)),
            packed=pulumi.FileArchive(str(packed)),
            collection=pulumi.AssetArchive(collection),
            deep={"list": [pulumi.Output.secret(pulumi.StringAsset("x"))]},
        )

    sandbox.up(program)
    one = sandbox.state()

    def reasons() -> dict[str, str | None]:
        given = by_name(one)["a"].inputs
        return {key: lost(given[key], tmp_path) for key in ("text", "file", "local", "folder", "packed", "collection")}

    assert set(reasons().values()) == {None}, "every hash is computed as the engine does it"
    sandbox.up(lambda: None)
    sandbox.replay(one)
    assert by_name(sandbox.state())["a"].inputs == by_name(one)["a"].inputs
    (folder / "index.html").write_text("changed")
    assert {key for key, reason in reasons().items() if reason} == {"file", "local", "folder", "collection"}
    (folder / "index.html").unlink()
    assert sandbox.replay(one).changes.keys() == {"same"}
    found = problems(one, plugins=lambda _name, _version: True, root=tmp_path)
    assert {problem.resource for problem in found} == {"a"}
    assert hashlib.sha256(packed.read_bytes()).hexdigest() == by_name(one)["a"].inputs["packed"]["hash"]


def test_a_replay_is_not_stopped_by_hooks_whose_code_is_not_there(sandbox: Sandbox) -> None:
    ran: list[str] = []

    def hook(args: pulumi.ResourceHookArgs) -> None:
        ran.append(args.name)

    def program(name: str, size: int) -> Callable[[], None]:
        def run() -> None:
            one = pulumi.ResourceHook("hook-a", hook)
            binding = pulumi.ResourceHookBinding(after_create=[one], before_delete=[one], after_update=[one])
            thing(name, opts=pulumi.ResourceOptions(hooks=binding), size=size)

        return run

    sandbox.up(program("a", 1))
    one = sandbox.state()
    sandbox.up(program("b", 1))
    assert ran == ["a", "b", "a"]
    assert [p.blocking for p in problems(one, plugins=lambda *_: True, root=Path())] == [True]
    sandbox.replay(one, current=sandbox.state())
    assert ran == ["a", "b", "a"]
    assert by_name(sandbox.state())["a"].hooks == by_name(one)["a"].hooks
    sandbox.up(program("a", 2))
    sandbox.replay(one, hooks={"hook-a": hook})
    assert ran == ["a", "b", "a", "a", "a"]


def test_a_failure_names_the_resource_and_the_rest_is_done(sandbox: Sandbox) -> None:
    def program() -> None:
        bad = thing("bad")
        thing("after", opts=pulumi.ResourceOptions(depends_on=[bad]))

    sandbox.up(program)
    one = sandbox.state()
    resources = tuple(dataclasses.replace(r, inputs={"fail": True}) if r.name == "bad" else r for r in one.resources)
    sandbox.replay(Checkpoint())
    with pytest.raises(UpdateFailed) as caught:
        sandbox.replay(Checkpoint(resources))
    assert "this thing cannot be made" in str(caught.value)
    assert "bad" in str(caught.value)
    assert sandbox.replay(one).changes["create"] == 2


def test_a_rollback_that_was_interrupted_is_finished_by_the_next(sandbox: Sandbox) -> None:
    """It is stopped while it creates something; whatever it left is taken into account."""

    def program() -> None:
        first = thing("first", x=1)
        slow = thing("slow", slow=2, target=first.address)
        thing("last", target=slow.address)

    sandbox.up(program)
    one = sandbox.state()
    sandbox.up(lambda: thing("new") and None)
    stop = threading.Event()

    def interrupt() -> None:
        while not [line for line in sandbox.log() if line.startswith("begin")][1:]:
            time.sleep(0.05)
        stop.set()

    watch = threading.Thread(target=interrupt, daemon=True)
    watch.start()
    with pytest.raises(UpdateStopped):
        sandbox.stack.update(replay.program(one, current=sandbox.state()), message="replay", stop=stop)
    watch.join()
    half = sandbox.state()
    assert "first" in by_name(half)
    assert "last" not in by_name(half)

    sandbox.replay(one, current=half)
    assert by_name(sandbox.state()).keys() == by_name(one).keys()
    assert sandbox.up(program).keys() == {"same"}


def test_a_default_provider_has_the_configuration_it_had(sandbox: Sandbox) -> None:
    """And not the one that the stack has now."""
    sandbox.up(lambda: thing("a") and None)
    one = sandbox.state()
    resources = tuple(dataclasses.replace(r, inputs={"region": "eu"}) if r.is_provider else r for r in one.resources)
    sandbox.replay(Checkpoint(resources), current=one)
    back = sandbox.state()
    assert by_name(back)["default"].inputs["region"] == "eu"
    assert by_name(back)["a"].id == by_name(one)["a"].id


def test_a_checkpoint_of_another_stack_is_refused(sandbox: Sandbox) -> None:
    sandbox.up(lambda: thing("a") and None)
    with pytest.raises(UpdateFailed, match="replay it on the stack it came from"):
        sandbox.fresh().replay(sandbox.state())
    assert len(sandbox.things()) == 1


def test_a_preview_of_a_replay_changes_nothing(sandbox: Sandbox) -> None:
    def program(number: int) -> Callable[[], None]:
        def run() -> None:
            a = thing("a", force=number)
            thing("b", target=a.address, url=pulumi.Output.concat("http://", a.address))

        return run

    sandbox.up(program(1))
    one = sandbox.state()
    sandbox.up(program(2))
    two = sandbox.state()
    seen = sandbox.stack.preview(replay.program(one, current=two))
    assert seen.changes == {"replace": 1, "update": 1, "same": 1}
    assert sandbox.state().by_urn == two.by_urn


def test_the_parachute_travels_with_the_change_and_stays_secret(sandbox: Sandbox) -> None:
    def version(number: int, before: Checkpoint | None) -> Callable[[], None]:
        def run() -> None:
            a = thing("a", size=number, password=pulumi.Output.secret(f"planted-{number}"))
            pulumi.export("address", a.address)
            for key, value in parachute.attach(Parachute(f"launch-{number}", before)).items():
                pulumi.export(key, value)

        return run

    sandbox.up(version(1, None))
    first = parachute.read(sandbox.state().outputs)
    assert first == Parachute("launch-1", None)
    before = sandbox.state()
    sandbox.up(version(2, before))
    carried = parachute.read(sandbox.state().outputs)
    assert carried
    assert carried.checkpoint
    assert carried.launch == "launch-2"
    sandbox.replay(carried.target, current=sandbox.state(), outputs={"launch": {"id": "launch-2", "step": "undo"}})
    back = sandbox.state()
    assert by_name(back)["a"].inputs == by_name(before)["a"].inputs
    assert back.outputs.keys() == {"address", "launch"}
    assert parachute.read(back.outputs) is None
    for path in sandbox.world.parent.rglob("*"):
        if path.is_file() and sandbox.world not in path.parents:
            assert b"planted-" not in path.read_bytes(), path
