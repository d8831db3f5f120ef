"""What a user reads when the engine, the cloud or a program fails."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path

import pulumi
import pytest

from phases.errors import EngineError, EngineMissing, UpdateConflict, UpdateFailed
from stacks.engine import Engine, StackSettings

pytestmark = pytest.mark.integration
Program = Callable[[], None]


def test_a_resource_that_fails_is_named_with_its_reason(engine: Engine, thing: Callable[..., Program]) -> None:
    with pytest.raises(UpdateFailed) as caught:
        engine.stack("dev").update(thing("fail", value="port 80"), message="x")

    assert caught.value.stack == "dev"
    [(resource, reason)] = caught.value.failures
    assert resource == "thing"
    assert "the cloud refused port 80" in reason
    assert "probe:index:Thing 'thing' (create)" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert engine.stack("dev").history()[0].result == "failed"


def test_a_program_that_raises_is_quoted_with_its_place(engine: Engine) -> None:
    def program() -> None:
        raise LookupError("no such slot")

    with pytest.raises(UpdateFailed, match=r"LookupError: no such slot \(.*test_failures\.py:\d+\)") as caught:
        engine.stack("dev").update(program, message="x")

    assert isinstance(caught.value.__cause__, LookupError)


def test_an_exception_in_an_apply_is_quoted_too(engine: Engine) -> None:
    def program() -> None:
        resource = pulumi.CustomResource("probe:index:Thing", "thing", {"does": "ok"})
        resource.id.apply(lambda _: 1 // 0)

    with pytest.raises(UpdateFailed, match=r"ZeroDivisionError: .*test_failures\.py:\d+\)") as caught:
        engine.stack("dev").update(program, message="x")

    assert "Traceback" not in str(caught.value)


def test_a_preview_fails_as_the_update_would(engine: Engine) -> None:
    def program() -> None:
        raise LookupError("no such slot")

    with pytest.raises(UpdateFailed, match="no such slot"):
        engine.stack("dev").preview(program)


def test_nothing_of_the_engines_noise_reaches_the_terminal(
    engine: Engine, thing: Callable[..., Program], capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(UpdateFailed):
        engine.stack("dev").update(thing("fail"), message="x")

    assert capfd.readouterr() == ("", "")


def test_a_second_update_of_the_same_stack_is_turned_away(engine: Engine, thing: Callable[..., Program]) -> None:
    running, may_end = threading.Event(), threading.Event()

    def program() -> None:
        running.set()
        may_end.wait(60)

    first = threading.Thread(target=lambda: engine.stack("dev").update(program, message="first"))
    first.start()
    try:
        assert running.wait(60)
        with pytest.raises(UpdateConflict, match=r"Stack dev is locked by .*process \d+") as caught:
            engine.stack("dev").update(thing(), message="second")
        with pytest.raises(UpdateConflict, match="is alive"):
            engine.stack("dev").cancel()
    finally:
        may_end.set()
        first.join()

    assert caught.value.stack == "dev"
    assert [entry.message for entry in engine.stack("dev").history()] == ["first"]


def test_a_wrong_passphrase_is_called_so(
    engine: Engine, root: Path, environ: Mapping[str, str], thing: Callable[..., Program]
) -> None:
    engine.stack("dev").update(thing(), message="x")
    stranger = Engine(project="shop", root=root, environ={**environ, "PULUMI_CONFIG_PASSPHRASE": "wrong"})

    with pytest.raises(EngineError, match="passphrase does not open the secrets of stack dev"):
        stranger.stack("dev").update(thing(), message="x")


def test_a_users_own_passphrase_is_used(root: Path, environ: Mapping[str, str], thing: Callable[..., Program]) -> None:
    own = {**environ, "PULUMI_CONFIG_PASSPHRASE": "our own"}
    engine = Engine(project="shop", root=root, environ=own, settings=StackSettings(secretsprovider="passphrase"))

    engine.stack("dev").update(thing(), message="x")

    assert not (engine.home / "passphrase").exists()


def test_a_backend_that_is_not_there_is_named(
    root: Path, environ: Mapping[str, str], thing: Callable[..., Program]
) -> None:
    url = "s3://launch?endpoint=127.0.0.1:9&disableSSL=true&s3ForcePathStyle=true&region=us-east-1"
    unreachable = Engine(
        project="shop",
        root=root,
        backend=url,
        environ={**environ, "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_MAX_ATTEMPTS": "1"},
    )

    with pytest.raises(EngineError, match=r"backend s3://launch.* cannot be used"):
        unreachable.stack("dev").update(thing(), message="x")


def test_a_plugin_that_is_not_installed_is_named(root: Path, environ: Mapping[str, str]) -> None:
    offline = {**environ, "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true"}

    def program() -> None:
        pulumi.CustomResource("absent:index:Thing", "thing", {})

    with pytest.raises(UpdateFailed, match="plugin pulumi-resource-absent is not installed"):
        Engine(project="shop", root=root, environ=offline).stack("dev").update(program, message="x")


def test_without_a_cli_the_user_learns_how_to_get_one(
    root: Path, environ: Mapping[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stacks.cli.__file__", str(root / "elsewhere" / "stacks" / "cli.py"))

    with pytest.raises(EngineMissing, match="make setup"):
        Engine(project="shop", root=root, environ={**environ, "PATH": str(root)}).stack("dev").update(
            lambda: None, message="x"
        )
