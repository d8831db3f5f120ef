"""Unit tests cannot hurt: no process, no connection, no waiting, nothing of this machine's environment."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest
from hypothesis import HealthCheck, settings

_TESTS = Path(__file__).parent
_INTEGRATION = _TESTS / "integration"

# What a developer's shell or a pipeline may have set, and what would change what a test sees.
_FOREIGN = (
    "AWS_",
    "COLORTERM",
    "COLUMNS",
    "FORCE_COLOR",
    "GITHUB_",
    "IMAGE_TAG",
    "KUBECONFIG",
    "LAUNCH_",
    "LINES",
    "NO_COLOR",
    "PREVIOUS_IMAGE_TAG",
    "PULUMI_",
)

# A busy machine is slow, which is no property of the code under test.
settings.register_profile("launch", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True)
settings.load_profile("launch")


# What takes long comes first, so that at the end no worker waits for the other's last file. A control plane is started
# with the first test that needs it and costs until the end, so those tests come late; unit tests fill what is left.
_ORDER = ("launches", "shop", "schema", "engine", "replay", "provider", "runtime", "kubernetes/launches", "kubernetes")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the files in the order in which they are run."""

    def rank(item: pytest.Item) -> int:
        if not item.path.is_relative_to(_INTEGRATION):
            return len(_ORDER) + 1
        found = (at for at, name in enumerate(_ORDER) if item.path.is_relative_to(_INTEGRATION / name))
        # Whatever is not named is quick, and needs no control plane.
        return next(found, _ORDER.index("kubernetes/launches") - 1)

    items.sort(key=rank)


@pytest.fixture(autouse=True, scope="session")
def _own_environment() -> Iterator[None]:
    """Take everything out of the environment that would let this machine's settings into a test."""
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith(_FOREIGN):
                patch.delenv(name)
        # Tests of two workers share the machine's turns; one that lets updates hang must not hold the others up.
        patch.setenv("LAUNCH_MAX_ENGINES", "64")
        yield


@pytest.fixture(autouse=True)
def _harmless(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make processes, connections and waiting an error everywhere but in tests/integration."""
    if request.path.is_relative_to(_INTEGRATION):
        return
    for holder, name in (
        (subprocess.Popen, "__init__"),
        (os, "fork"),
        (os, "posix_spawn"),
        (os, "posix_spawnp"),
        (os, "system"),
        (socket.socket, "connect"),
        (socket.socket, "connect_ex"),
        (time, "sleep"),
    ):
        monkeypatch.setattr(holder, name, _blocked(holder, name))


def _blocked(holder: Any, name: str) -> Callable[..., NoReturn]:  # noqa: ANN401
    what = f"{holder.__name__}.{name}"

    def refuse(*args: object, **options: object) -> NoReturn:
        del options
        pytest.fail(f"{what} was called with {args!r}; a unit test passes a fake, or belongs in tests/integration")

    return refuse
