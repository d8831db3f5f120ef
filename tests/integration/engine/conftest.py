"""A private engine for each test, and a provider whose resources fail or hang when told to."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from phases.errors import EngineError
from stacks.engine import Engine, Grace
from tests.integration.processes import started

PLUGINS = Path(__file__).resolve().parents[2] / "plugins"


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """The environment of a user who never configured Pulumi, with the test plugins on PATH."""
    home = tmp_path / "home"
    home.mkdir()
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("PULUMI_")}
    return {**inherited, "HOME": str(home), "PATH": f"{PLUGINS}{os.pathsep}{os.environ['PATH']}"}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The user's project."""
    path = tmp_path / "project"
    path.mkdir()
    return path


@pytest.fixture
def engine(root: Path, environ: Mapping[str, str]) -> Engine:
    """The engine of project `shop`, impatient with updates that hang."""
    return Engine(project="shop", root=root, environ=environ, grace=Grace(cancel=1.0, terminate=1.0))


@pytest.fixture
def thing() -> Callable[..., Callable[[], None]]:
    """Makes programs with one resource `thing` that does as told; see tests/plugins/pulumi-resource-probe."""

    def make(
        does: str = "ok", value: object = "v", mark: Path | None = None, name: str = "thing"
    ) -> Callable[[], None]:
        def program() -> None:
            import pulumi

            shown = value() if callable(value) else value
            inputs = {"does": does, "value": shown, "mark": str(mark) if mark else None}
            pulumi.CustomResource("probe:index:Thing", name, inputs)

        return program

    return make


@pytest.fixture
def wait_for() -> Callable[[Callable[[], object]], None]:
    """Waits until something is true, and fails the test if it does not become so."""

    def wait(ready: Callable[[], object], limit_s: float = 60.0) -> None:
        end = time.monotonic() + limit_s
        while not ready():
            assert time.monotonic() < end, f"still not so after {limit_s} s"
            time.sleep(0.02)

    return wait


@pytest.fixture
def engine_killed(
    wait_for: Callable[[Callable[[], object]], None],
) -> Callable[[Callable[[], object]], AbstractContextManager[None]]:
    """Kills the engine of the update within, as soon as something is true; the update must fail of it."""

    @contextmanager
    def when(ready: Callable[[], object]) -> Iterator[None]:
        def kill() -> None:
            wait_for(ready)
            for child in started("pulumi --non-interactive"):
                child.kill()

        thread = threading.Thread(target=kill)
        thread.start()
        with pytest.raises(EngineError, match="signal 9"):
            yield
        thread.join()

    return when
