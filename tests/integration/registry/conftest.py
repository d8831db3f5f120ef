"""Registries of container images: the stand-in, and a real one where it is installed."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import urllib3

from tests.registry.oci_registry_standin import Standin, registry

REAL = shutil.which("docker-registry") or shutil.which("registry")


@pytest.fixture
def standin() -> Iterator[Standin]:
    with registry() as started:
        yield started


@pytest.fixture(params=["standin", "real"])
def host(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A registry without any users."""
    if request.param == "standin":
        with registry() as started:
            yield started.host
        return
    if REAL is None:
        pytest.skip("there is no `docker-registry` on PATH (Debian's package of that name)")
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    config = {
        "version": 0.1,
        "storage": {"filesystem": {"rootdirectory": str(tmp_path / "images")}},
        "http": {"addr": address},
    }
    (tmp_path / "registry.yml").write_text(json.dumps(config))
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen([REAL, "serve", str(tmp_path / "registry.yml")], stdout=log, stderr=log)
        try:
            _ready(address, tmp_path / "log")
            yield address
        finally:
            process.terminate()
            process.wait(60)


def _ready(address: str, log: Path) -> None:
    limit = time.monotonic() + 60
    while True:
        try:
            if urllib3.request("GET", f"http://{address}/v2/", retries=False, timeout=5).status == 200:
                return
        except urllib3.exceptions.HTTPError:
            pass
        assert time.monotonic() < limit, log.read_text()
        time.sleep(0.05)
