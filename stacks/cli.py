"""Finds the Pulumi CLI, without the network and, from the second time on, without starting it."""

from __future__ import annotations

import json
import logging
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from phases.errors import EngineMissing

MINIMUM_VERSION = (3, 206, 0)
"""The first version that streams engine events over gRPC, which is how this project reads them."""

_VERSION_TIMEOUT_S = 30.0

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Cli:
    """A usable Pulumi CLI.

    Attributes:
        path: the executable.
        version: for example `3.259.0`.
    """

    path: Path
    version: str


def find(root: Path, *, environ: Mapping[str, str], cache: Path | None = None) -> Cli:
    """The first usable CLI: the project's own copy, this package's copy, PATH, then `~/.pulumi/bin`.

    Args:
        root: the project's directory.
        environ: where PATH and HOME are read.
        cache: a file that remembers versions by path, size and time of change; None asks the CLI each time.

    Raises:
        EngineMissing: there is none, or none that is new enough; the message says how to get one.
    """
    rejected: list[str] = []
    known = _Versions(cache)
    for path in candidates(root, environ):
        version = known.of(path, environ)
        reason = _unusable(version)
        if reason is None:
            return Cli(path, version or "")
        rejected.append(f"{path}: {reason}")
    wanted = ".".join(map(str, MINIMUM_VERSION))
    found = f" Found but not usable: {'; '.join(rejected)}." if rejected else ""
    raise EngineMissing(
        f"No Pulumi CLI of version {wanted} or newer was found in .tools/bin, on PATH or in ~/.pulumi/bin.{found} "
        "Run `make setup` in the checkout of launch, or install Pulumi as https://www.pulumi.com/docs/install/ "
        "describes, and try again."
    )


def candidates(root: Path, environ: Mapping[str, str]) -> Iterator[Path]:
    """Where a CLI may be, best first, each existing executable once."""
    name = "pulumi.exe" if os.name == "nt" else "pulumi"
    checkout = Path(__file__).resolve().parent.parent
    on_path = shutil.which(name, path=environ.get("PATH"))
    home = Path(environ.get("PULUMI_HOME") or Path(environ.get("HOME") or Path.home()) / ".pulumi")
    places = [
        root / ".tools" / "bin" / name,
        checkout / ".tools" / "bin" / name,
        *([Path(on_path)] if on_path else []),
        home / "bin" / name,
    ]
    seen: set[Path] = set()
    for place in places:
        path = place.absolute()
        if path not in seen and path.is_file() and os.access(path, os.X_OK):
            seen.add(path)
            yield path


def _unusable(version: str | None) -> str | None:
    """Why a CLI of this version cannot be used, or None."""
    if version is None:
        return "does not answer `pulumi version`"
    numbers = tuple(int(part) for part in version.split("."))
    if numbers[0] != MINIMUM_VERSION[0]:
        return f"version {version}, and this project drives version {MINIMUM_VERSION[0]}"
    if numbers < MINIMUM_VERSION:
        return f"version {version} is too old"
    return None


class _Versions:
    """Asks a CLI for its version once for each file, since that takes as long as a small command."""

    def __init__(self, cache: Path | None) -> None:
        self._cache = cache
        self._known: dict[str, str] = {}
        if cache is not None:
            try:
                self._known = dict(json.loads(cache.read_text(encoding="utf-8")))
            except (OSError, ValueError):
                self._known = {}

    def of(self, path: Path, environ: Mapping[str, str]) -> str | None:
        """The version of the CLI at `path` as three numbers, None if it does not say."""
        status = path.stat()
        key = f"{path.resolve()}:{status.st_size}:{status.st_mtime_ns}"
        version = self._known.get(key) or _ask(path, environ)
        if version is not None and self._known.get(key) != version:
            self._known[key] = version
            self._save()
        return version

    def _save(self) -> None:
        if self._cache is None:
            return
        try:
            self._cache.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            draft = self._cache.with_name(f"{self._cache.name}.{os.getpid()}")
            draft.write_text(json.dumps(self._known), encoding="utf-8")
            draft.replace(self._cache)
        except OSError as error:
            log.debug("The version of the Pulumi CLI could not be remembered in %s: %s", self._cache, error)


def _ask(path: Path, environ: Mapping[str, str]) -> str | None:
    try:
        answer = subprocess.run(
            [str(path), "version"],
            env={**environ, "PULUMI_SKIP_UPDATE_CHECK": "true"},
            capture_output=True,
            text=True,
            timeout=_VERSION_TIMEOUT_S,
            check=True,
        )
    except (OSError, subprocess.SubprocessError) as error:
        log.debug("%s does not answer: %s", path, error)
        return None
    match = re.match(r"v?(\d+\.\d+\.\d+)", answer.stdout.strip())
    return match.group(1) if match else None
