"""Secrets as a user gives them, and a search for them where they must not be."""

from __future__ import annotations

import base64
import binascii
import gzip
import re
import subprocess
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from stacks.engine import Engine
from tests.integration.launches.conftest import Project

_ENCODED = re.compile(rb"[A-Za-z0-9+/_-]{16,}={0,2}")
_DEPTH = 3


def pulumi(project: Project, *arguments: str) -> str:
    """Run Pulumi's own command line in the project, with the project's backend."""
    program = Engine(project="shop", root=project.root, environ=project.environ).cli.path
    ran = subprocess.run(
        [program, "--non-interactive", *arguments],
        cwd=project.root,
        env={**project.environ, "PULUMI_SKIP_UPDATE_CHECK": "true"},
        check=False,
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, f"{arguments}: {ran.stderr}"
    return ran.stdout


def own_backend(project: Project, url: str) -> None:
    """Let the project use a backend of the team's, with the team's passphrase."""
    project.environ |= {"PULUMI_BACKEND_URL": url, "PULUMI_CONFIG_PASSPHRASE": "a passphrase of the team"}


def with_secrets(project: Project, **secrets: str) -> None:
    """Give the environment secret settings (`a__b` for the path `a.b`), by Pulumi's own command line."""
    state = project.root / ".launch" / "state"
    state.mkdir(parents=True)
    own_backend(project, f"file://{state}")
    pulumi(project, "stack", "init", "dev")
    for path, value in secrets.items():
        name = f"launch:{path.replace('__', '.')}"
        pulumi(project, "config", "set", "--stack", "dev", "--secret", "--path", name, value)


def holds(data: bytes, secret: str, *, depth: int = _DEPTH) -> bool:
    """Return whether the secret is in there: as it is, packed by gzip, or in base64, one in the other."""
    if secret.encode() in data:
        return True
    return depth > 0 and any(holds(inner, secret, depth=depth - 1) for inner in _inside(data))


def _inside(data: bytes) -> Iterator[bytes]:
    if data.startswith(b"\x1f\x8b"):
        with suppress(OSError, EOFError, zlib.error):
            yield gzip.decompress(data)
        return
    for match in _ENCODED.finditer(data):
        text = match[0].rstrip(b"=")
        with suppress(binascii.Error):
            yield base64.b64decode(text + b"=" * (-len(text) % 4), altchars=b"-_" if b"-" in text else None)


def leaks(folder: Path, secret: str) -> list[str]:
    """Return the files below a folder that hold the secret."""
    files = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
    assert files, f"{folder} is empty: there was nothing to search"
    return [str(path) for path in files if holds(path.read_bytes(), secret)]
