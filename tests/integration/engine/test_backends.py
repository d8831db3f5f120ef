"""The same launch on other backends, and the user's own Pulumi beside it."""

from __future__ import annotations

import os
import stat
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pulumi
import pytest

from phases.errors import ConfigurationError, EngineError, UpdateConflict, UpdateFailed
from stacks import cli, workdir
from stacks.engine import Engine
from stacks.settings import read_settings
from tests.integration.s3 import KEYS, bucket

pytestmark = pytest.mark.integration
Program = Callable[[], None]


@pytest.fixture
def s3() -> Iterator[str]:
    """The URL of a bucket on a private S3 server."""
    with bucket() as url:
        yield url


def test_an_s3_bucket_holds_the_history_for_every_machine(
    s3: str, tmp_path: Path, environ: Mapping[str, str], thing: Callable[..., Program]
) -> None:
    shared = {**environ, **KEYS, "PULUMI_BACKEND_URL": s3, "PULUMI_CONFIG_PASSPHRASE": "shared by both"}
    here = Engine(project="shop", root=tmp_path / "here", environ=shared)
    there = Engine(project="shop", root=tmp_path / "there", environ=shared)

    here.stack("dev").update(thing(value=lambda: pulumi.Output.secret("hush-hush")), message="from here")

    assert there.stacks() == ("dev",)
    assert "hush-hush" in str(there.stack("dev").checkpoint())
    there.stack("dev").update(thing(value="two"), message="from there")
    assert [entry.message for entry in here.stack("dev").history()] == ["from there", "from here"]


def test_only_one_machine_updates_a_stack_at_a_time(
    s3: str, tmp_path: Path, environ: Mapping[str, str], thing: Callable[..., Program]
) -> None:
    shared = {**environ, **KEYS, "PULUMI_CONFIG_PASSPHRASE": "shared by both"}
    here = Engine(project="shop", root=tmp_path / "here", backend=s3, environ=shared)
    there = Engine(project="shop", root=tmp_path / "there", backend=s3, environ=shared)
    running, may_end = threading.Event(), threading.Event()

    def program() -> None:
        running.set()
        may_end.wait(60)

    first = threading.Thread(target=lambda: here.stack("dev").update(program, message="first"))
    first.start()
    try:
        assert running.wait(60)
        with pytest.raises(UpdateConflict):
            there.stack("dev").update(thing(), message="second")
    finally:
        may_end.set()
        first.join()


def test_pulumi_at_the_projects_root_sees_the_same_history(root: Path, environ: Mapping[str, str]) -> None:
    (root / "Pulumi.yaml").write_text(
        "name: shop\nruntime: python\nbackend:\n  url: file://./.launch/state\n", encoding="utf-8"
    )
    engine = Engine(project="shop", root=root, environ=environ)
    engine.stack("dev-traffic").update(
        lambda: pulumi.export("password", pulumi.Output.secret("hush")), message="1% -> 10%"
    )

    history = _pulumi(root, environ, "stack", "history", "--stack", "dev-traffic")
    outputs = _pulumi(
        root,
        {**environ, "PULUMI_CONFIG_PASSPHRASE_FILE": ".launch/passphrase"},
        *("stack", "output", "password", "--show-secrets", "--stack", "dev-traffic"),
    )

    assert "1% -> 10%" in history
    assert outputs.strip() == "hush"


def test_a_users_secret_is_decrypted_and_kept_out_of_messages(
    root: Path, environ: Mapping[str, str], thing: Callable[..., Program]
) -> None:
    own = {**environ, "PULUMI_CONFIG_PASSPHRASE": "our own", "PULUMI_BACKEND_URL": f"file://{root}/theirs"}
    (root / "theirs").mkdir()
    (root / "Pulumi.yaml").write_text("name: shop\nruntime: python\n", encoding="utf-8")
    _pulumi(root, own, "stack", "init", "dev")
    _pulumi(root, own, "config", "set", "--stack", "dev", "--secret", "launch:password", "hush-hush")
    _pulumi(root, own, "config", "set", "--stack", "dev", "--path", "launch:database.port", "5432")
    _pulumi(root, own, "config", "set", "--stack", "dev", "--path", "--secret", "launch:database.token", "quiet-please")
    before = (root / "Pulumi.dev.yaml").read_bytes()

    # Another backend: what a passphrase encrypted needs no stack.
    engine = Engine(
        project="shop",
        root=root,
        environ={key: value for key, value in own.items() if key != "PULUMI_BACKEND_URL"},
        settings=read_settings(root, "dev"),
    )
    config = engine.config("dev")

    assert config["launch:password"].value == "hush-hush"
    assert config["launch:password"].secret
    assert config["launch:database"].value == {"port": 5432, "token": "quiet-please"}
    assert "hush" not in repr(config)
    assert engine.stacks() == ()
    with pytest.raises(UpdateFailed, match=r"refused \[secret\]"):
        engine.stack("dev").update(thing("fail", value="hush-hush"), message="x")
    assert (root / "Pulumi.dev.yaml").read_bytes() == before


def test_values_that_only_the_backend_opens_need_its_stack(root: Path, environ: Mapping[str, str]) -> None:
    (root / "Pulumi.dev.yaml").write_text("environment: [shop/dev]\n", encoding="utf-8")

    with pytest.raises(ConfigurationError, match="pulumi stack init dev"):
        Engine(project="shop", root=root, environ=environ).config("dev")


def test_many_first_launches_agree_on_one_passphrase(tmp_path: Path) -> None:
    start = threading.Barrier(8)
    seen: list[tuple[str, bool]] = []

    def first() -> None:
        start.wait()
        path, created = workdir.passphrase_file(tmp_path / "home")
        seen.append((path.read_text(encoding="ascii"), created))

    threads = [threading.Thread(target=first) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len({text for text, _ in seen}) == 1
    assert [created for _, created in seen].count(True) == 1
    assert [path.name for path in (tmp_path / "home").iterdir()] == ["passphrase"]
    assert stat.S_IMODE((tmp_path / "home" / "passphrase").stat().st_mode) == 0o600


def _pulumi(root: Path, environ: Mapping[str, str], *args: str) -> str:
    """What a user types at the project's root."""
    found = cli.find(root, environ=os.environ)
    env = {**environ, "PULUMI_SKIP_UPDATE_CHECK": "true"}
    done = subprocess.run(
        [str(found.path), *args, "--non-interactive"], cwd=root, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_state_that_a_killed_pulumi_left_unreadable_is_read_again(
    root: Path, environ: Mapping[str, str], thing: Callable[..., Program]
) -> None:
    before = Engine(project="shop", root=root, environ=environ).stack("dev-traffic")
    before.update(thing(), message="first")
    second_file = root / ".launch" / "state" / ".pulumi" / "stacks" / "shop" / "dev-traffic.json.attrs"
    assert not second_file.exists(), "the engine of launch writes none, and cannot be killed while it does"
    second_file.touch()  # as a CLI that was started by hand leaves it when it is killed
    with pytest.raises(EngineError, match="EOF"):
        before.update(thing(), message="not read")

    now = Engine(project="shop", root=root, environ=environ).stack("dev-traffic")

    assert not now.update(thing(), message="second").changed
