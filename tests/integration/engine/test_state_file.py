"""What is read without the CLI is what the CLI says."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from phases.errors import EngineError
from stacks.engine import Engine, HistoryEntry, StackHandle
from stacks.processes import Finished

pytestmark = pytest.mark.integration


def program() -> None:
    import pulumi

    password = pulumi.Output.secret('hünter2 "quoted"')
    group = pulumi.ComponentResource("probe:index:Group", "shop")
    inside = pulumi.ResourceOptions(parent=group)
    route = pulumi.CustomResource("probe:index:Thing", "route", {"does": "ok", "value": {"a": [1, password]}}, inside)
    group.register_outputs({"route": route.urn})
    pulumi.export("weights", {"blue": 90, "share": 0.5, "none": None, "on": True})
    pulumi.export("slots", [{"key": password, "name": "blue"}])
    pulumi.export("secret", pulumi.Output.secret({"deep": [1, "two"]}))
    pulumi.export("nothing", "")


@pytest.fixture
def stack(engine: Engine) -> StackHandle:
    """A stack with everything in it that a stack of ours has."""
    handle = engine.stack("dev")
    handle.update(program, message="first")
    return handle


def by_cli(engine: Engine, *args: str) -> Any:  # noqa: ANN401
    """Return what the CLI prints about the stack."""
    directory = engine.home / "work" / "dev"
    return json.loads(engine.command(["stack", *args, "--stack", "dev"], directory, stack="dev").stdout)


@pytest.fixture
def no_cli(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Has every question to the CLI fail from now on."""

    def refuse(args: list[str], *_: object, **__: object) -> Finished:
        pytest.fail(f"the CLI was asked for {args}")

    return lambda: monkeypatch.setattr(engine, "run_cli", refuse)


def test_it_says_what_the_cli_says_without_asking_it(
    engine: Engine, stack: StackHandle, no_cli: Callable[[], None]
) -> None:
    exported = by_cli(engine, "export", "--show-secrets")["deployment"]
    shown, hidden = by_cli(engine, "output", "--json", "--show-secrets"), by_cli(engine, "output", "--json")
    no_cli()
    found = stack.checkpoint()
    assert found is not None
    assert found["resources"] == exported["resources"]
    assert (stack.outputs(secrets=True), stack.outputs()) == (shown, hidden)
    assert hidden["secret"] == "[secret]"
    assert stack.exists()


def test_a_state_that_pulumi_compresses_is_asked_for(
    root: Path, environ: Mapping[str, str], stack: StackHandle
) -> None:
    before = stack.outputs(secrets=True)
    compressing = Engine(project="shop", root=root, environ={**environ, "PULUMI_DIY_BACKEND_GZIP": "true"}).stack("dev")
    compressing.update(program, message="compressed")
    assert not list((root / ".launch" / "state").rglob("stacks/**/dev.json"))
    assert compressing.outputs(secrets=True) == before


def test_a_wrong_passphrase_opens_nothing(root: Path, environ: Mapping[str, str], stack: StackHandle) -> None:
    del stack
    stranger = Engine(project="shop", root=root, environ={**environ, "PULUMI_CONFIG_PASSPHRASE": "wrong"}).stack("dev")
    with pytest.raises(EngineError, match="passphrase"):
        stranger.outputs(secrets=True)
    with pytest.raises(EngineError, match="passphrase"):
        stranger.checkpoint()


def test_nobody_is_asked_about_a_stack_that_is_not_there(engine: Engine, no_cli: Callable[[], None]) -> None:
    no_cli()
    stack = engine.stack("dev")
    assert not stack.exists()
    assert (stack.checkpoint(), stack.outputs(), stack.history()) == (None, {}, ())
    assert not stack.refresh().changed
    assert not stack.destroy(message="down").changed
    stack.remove()


def test_a_stack_that_somebody_makes_meanwhile_is_updated(
    engine: Engine, stack: StackHandle, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(StackHandle, "absent", True)
        assert engine.stack("dev").update(program, message="second").changes == {"same": 3}
    assert [entry.message for entry in stack.history()] == ["second", "first"]


def test_all_stacks_have_one_salt_so_that_their_key_is_derived_once(
    engine: Engine, stack: StackHandle, root: Path
) -> None:
    engine.stack("dev-traffic").update(program, message="first")
    states = root / ".launch" / "state" / ".pulumi" / "stacks" / "shop"
    salts = {
        json.loads((states / f"{name}.json").read_text())["checkpoint"]["latest"]["secrets_providers"]["state"]["salt"]
        for name in ("dev", "dev-traffic")
    }
    assert len(salts) == 1
    traffic = engine.stack("dev-traffic")
    assert (
        stack.outputs(secrets=True)
        == traffic.outputs(secrets=True)
        == by_cli(engine, "output", "--json", "--show-secrets")
    )
    assert len(list((root / ".launch" / "keys").iterdir())) == 1


def test_the_history_is_what_the_cli_says(engine: Engine, stack: StackHandle, no_cli: Callable[[], None]) -> None:
    stack.update(program, message="second")
    told = by_cli(engine, "history", "--json")
    no_cli()
    expected = tuple(HistoryEntry.parse(entry, len(told) - index) for index, entry in enumerate(told))
    assert stack.history() == expected
    assert stack.history(1) == expected[:1]
    assert engine.stacks() == ("dev",)
