# ruff: noqa: ANN401 - a property value may be anything
from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from stacks.checkpoint import Checkpoint, PendingOperation, Resource
from stacks.replay_check import Problem, Severity, plugin_of, problems
from stacks.replay_plugins import finder
from stacks.replay_values import UNKNOWN, Signature
from tests.stacks.replay_builders import PROVIDER, STACK, asset, component, provider, secret, stack, state, thing, urn


def check(
    checkpoint: Checkpoint, root: Path = Path("nowhere"), *, installed: bool = True, **options: Any
) -> list[Problem]:
    return list(problems(checkpoint, plugins=lambda _name, _version: installed, root=root, **options))


def blocking(found: Iterable[Problem]) -> list[str]:
    return [str(problem) for problem in found if problem.blocking]


def test_an_ordinary_stack_passes() -> None:
    group = component("g", outputs={"address": "addr-a"})
    checkpoint = state(
        group,
        thing("a", {"password": secret("x")}, {"address": "addr-a"}, parent=group.urn),
        thing("b", {"url": "http://addr-a/"}, uses={"url": ("a",)}, protect=True, aliases=(urn("z"),)),
        thing("c", external=True),
        outputs={"url": "http://addr-a/"},
    )
    assert check(checkpoint) == []
    assert check(Checkpoint()) == []


def test_a_missing_plugin_is_named_with_its_version_and_the_command_that_installs_it() -> None:
    checkpoint = Checkpoint((stack(), provider("1.2.3"), thing("a"), thing("b")))
    (problem,) = check(checkpoint, installed=False)
    assert problem.urn == PROVIDER
    assert str(problem) == (
        "default: the provider plugin test 1.2.3 is not installed; run `pulumi plugin install resource test v1.2.3`"
    )
    assert problem.blocking


def test_the_engines_own_provider_needs_no_plugin() -> None:
    own = Resource("urn:pulumi:dev::shop::pulumi:providers:pulumi::default", "pulumi:providers:pulumi", custom=True)
    assert check(Checkpoint((stack(), own)), installed=False) == []


def test_the_plugin_behind_a_parameterized_provider_is_the_one_asked_for() -> None:
    internal = {"name": "terraform-provider", "version": "0.9.0", "parameterization": "e30="}
    assert plugin_of(provider("3.0.0", __internal=internal)) == ("terraform-provider", "0.9.0")
    assert plugin_of(provider("3.0.0", __internal={})) == ("test", "3.0.0")
    assert plugin_of(provider()) == ("test", None)


def test_a_value_that_was_computed_is_told_and_stops_a_launch_only_if_its_origin_goes() -> None:
    checkpoint = state(thing("a", made={"address": "addr-a"}), thing("b", {"hash": "e3b0c4"}, uses={"hash": ("a",)}))
    (told,) = check(checkpoint)
    assert told.severity is Severity.WARNING
    assert told.resource == "b"
    assert "`hash` was computed from an output of `a`" in told.reason
    assert check(checkpoint, changes={urn("a"): "update"}) == []
    (stopped,) = check(checkpoint, changes={urn("a"): "replace"})
    assert stopped.blocking


def test_a_constant_of_another_resource_is_no_computed_value() -> None:
    checkpoint = state(thing("a", {"name": "shop"}), thing("b", {"dns": "shop.local"}, uses={"dns": ("a",)}))
    assert check(checkpoint, changes={urn("a"): "replace"}) == []


def test_an_asset_whose_file_is_gone_or_changed_stops_a_launch(tmp_path: Path) -> None:
    (tmp_path / "there").write_text("abc")
    digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    good = asset(path="there", hash=digest)
    changed = asset(path="there", hash="0" * 64)
    gone = asset(path="missing", hash=digest)
    text = asset(text="inline", hash="whatever")
    far = asset(uri="https://example.org/x", hash="whatever")
    checkpoint = state(
        thing("a", {"one": good, "two": [secret({"deep": changed})], "three": gone, "four": text, "five": far})
    )
    reasons = [problem.reason for problem in check(checkpoint, tmp_path)]
    assert reasons == [
        "the bytes of `two` are gone: there has changed since",
        "the bytes of `three` are gone: missing cannot be read (No such file or directory)",
    ]
    assert check(checkpoint, tmp_path, changes={urn("b"): "update"}) == []
    assert len(check(checkpoint, tmp_path, changes={urn("a"): "update"})) == 2


def test_an_asset_of_a_resource_that_is_only_read_is_not_needed(tmp_path: Path) -> None:
    assert check(state(thing("a", {"x": asset(path="missing")}, external=True)), tmp_path) == []


def test_hooks_without_code_stop_a_launch() -> None:
    checkpoint = state(thing("a", hooks={"BeforeDelete": ("drain",), "AfterCreate": ("tell",)}))
    found = blocking(check(checkpoint, hooks=("tell",)))
    assert len(found) == 1
    assert "`drain`" in found[0]
    assert check(checkpoint, hooks=("tell", "drain")) == []


@pytest.mark.parametrize("kind", ["pulumi-python:dynamic:Resource", "pulumi-nodejs:dynamic/sub:Resource"])
def test_a_dynamic_provider_needs_its_code_in_the_state(kind: str) -> None:
    with_code = Resource(urn("a", kind), kind, custom=True, parent=STACK, inputs={"__provider": secret("gASV")})
    without = Resource(urn("b", kind), kind, custom=True, parent=STACK)
    found = blocking(check(Checkpoint((stack(), with_code, without))))
    assert len(found) == 1
    assert found[0].startswith("b: the code of its dynamic provider is not in the state")


def test_a_provider_extended_by_a_parameter_stops_a_launch() -> None:
    assert len(blocking(check(state(thing("a", extension="ref"))))) == 1


def test_a_value_that_was_never_known_stops_a_launch() -> None:
    (found,) = check(state(thing("a", {"x": [UNKNOWN]})))
    assert found.blocking
    assert "`x` is not known" in found.reason


def test_an_interrupted_update_has_to_be_settled_first() -> None:
    resources = state(thing("a")).resources
    found = check(
        Checkpoint(resources, (PendingOperation(urn("a"), "updating"), PendingOperation(urn("b"), "creating")))
    )
    assert [problem.severity for problem in found] == [Severity.ERROR, Severity.WARNING]
    assert all("pulumi refresh" in problem.advice for problem in found)


def test_trouble_that_was_there_before_is_told() -> None:
    checkpoint = state(
        thing("a", init_errors=("not ready",)), thing("b", taint=True), thing("c", pending_replacement=True)
    )
    assert [problem.severity for problem in check(checkpoint)] == [Severity.WARNING] * 3


def test_leftovers_views_and_snippets_are_not_looked_at() -> None:
    awful: dict[str, Any] = {"inputs": {"x": UNKNOWN}, "hooks": {"AfterCreate": ("h",)}}
    checkpoint = state(
        thing("a", deleting=True, **awful), thing("b", view_of=urn("z"), **awful), thing("c", snippet="s", **awful)
    )
    assert check(checkpoint) == []


def test_no_problem_shows_a_value() -> None:
    checkpoint = state(
        thing("a", {"password": secret("hunter2"), "f": asset(path="x", hash="0")}, {"token": secret("hunter2")}),
        thing("b", {"hunter": secret("hunter2x")}, uses={"hunter": ("a",)}),
    )
    found = check(checkpoint)
    assert found
    assert "hunter2" not in repr(found)


def test_a_plugin_on_the_path_serves_every_version(tmp_path: Path) -> None:
    plugin = tmp_path / "bin" / "pulumi-resource-test"
    plugin.parent.mkdir()
    plugin.write_text("")
    plugin.chmod(0o755)
    found = finder({"PATH": str(plugin.parent), "HOME": str(tmp_path)})
    assert found("test", "1.2.3")
    assert found("test", None)
    assert not found("other", None)


def test_an_installed_plugin_serves_its_own_version(tmp_path: Path) -> None:
    (tmp_path / "plugins" / "resource-test-v1.2.3").mkdir(parents=True)
    found = finder({"PATH": "", "PULUMI_HOME": str(tmp_path)})
    assert found("test", "1.2.3")
    assert found("test", None)
    assert not found("test", "1.2.4")


def test_archives_of_collections_are_compared_as_a_whole(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("hello")
    collection = asset(Signature.ARCHIVE, assets={"index.html": asset(path="index.html")}, hash="0" * 64)
    (found,) = check(state(thing("a", {"site": collection})), tmp_path)
    assert "a collection of files has changed since" in found.reason
