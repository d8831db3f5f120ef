"""`python -m bench.peers.build`: builds Flagger and Argo Rollouts' controller; what is built already is left alone.

Nothing comes from a download site: both are Go modules, named with their checksums in `bench/peers/*/go.mod` and
`go.sum`. It takes six minutes on two cores, once; the race does it by itself, and `make test` never.

    .tools/peers/bin     flagger, rollouts-controller
    .tools/peers/crds    the resource definitions that lie in their modules, in a folder each
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

MODULES = Path(__file__).resolve().parent
PLACE = MODULES.parents[1] / ".tools" / "peers"
BIN = PLACE / "bin"
CRDS = PLACE / "crds"


@dataclass(frozen=True, slots=True)
class Peer:
    """One controller.

    Attributes:
        name: of the executable.
        module: folder of its go.mod here, and of its definitions.
        path: of its Go module.
        package: the main package in it.
        definitions: files with its CustomResourceDefinitions, as a pattern in it.
    """

    name: str
    module: str
    path: str
    package: str
    definitions: str

    @property
    def executable(self) -> Path:
        """Return where it is once it is built."""
        return BIN / self.name


FLAGGER = Peer(
    "flagger",
    "flagger",
    "github.com/fluxcd/flagger",
    "github.com/fluxcd/flagger/cmd/flagger",
    "artifacts/flagger/crd.yaml",
)
ARGO_ROLLOUTS = Peer(
    "rollouts-controller",
    "argo-rollouts",
    "github.com/argoproj/argo-rollouts",
    "github.com/argoproj/argo-rollouts/cmd/rollouts-controller",
    "manifests/crds/*-crd.yaml",
)
PEERS = (FLAGGER, ARGO_ROLLOUTS)


class CannotBuild(Exception):
    """Something the user has to do first; the message says what."""


def ensure(peer: Peer) -> None:
    """Build a peer if it is not built.

    Raises:
        CannotBuild: there is no Go.
        subprocess.CalledProcessError: the build failed; its output was seen.
    """
    BIN.mkdir(parents=True, exist_ok=True)
    stamp, wanted = PLACE / f"{peer.module}.stamp", _fingerprint(peer)
    with (PLACE / f"{peer.module}.lock").open("w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # another build of this checkout may be running
        if peer.executable.exists() and stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
            return
        if shutil.which("go") is None:
            raise CannotBuild(f"{peer.name} has to be built, and Go is missing (https://go.dev/doc/install)")
        print(f"peers: {peer.name} from Go modules ...", file=sys.stderr, flush=True)
        started = time.monotonic()
        _build(peer)
        _definitions(peer)
        stamp.write_text(wanted, encoding="utf-8")
        print(f"peers: {peer.name}: done in {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)


def definitions(peer: Peer) -> list[Path]:
    """Return the files with a peer's resource definitions."""
    return sorted((CRDS / peer.module).glob("*.yaml"))


def _fingerprint(peer: Peer) -> str:
    digest = hashlib.sha256()
    for name in ("go.mod", "go.sum"):
        digest.update((MODULES / peer.module / name).read_bytes())
    digest.update("\0".join((peer.package, peer.definitions)).encode())
    return digest.hexdigest()


def _build(peer: Peer) -> None:
    """Build it; it appears under its name only when it is whole."""
    made = BIN / f"{peer.name}.new"
    command = ["go", "build", "-ldflags", "-s -w", "-o", str(made), peer.package]
    subprocess.run(command, cwd=MODULES / peer.module, env=_environ(), check=True, stdout=sys.stderr)
    made.replace(peer.executable)


def _definitions(peer: Peer) -> None:
    found = subprocess.run(
        ["go", "mod", "download", "-json", peer.path],
        cwd=MODULES / peer.module,
        env=_environ(),
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    folder = CRDS / peer.module
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for file in Path(json.loads(found.stdout)["Dir"]).glob(peer.definitions):
        shutil.copyfile(file, folder / file.name)


def _environ() -> dict[str, str]:
    """Return what Go runs with: no flags of the user's, and a newer Go from its own modules where this is too old."""
    environ = {"GOTOOLCHAIN": "auto", **os.environ, "GOFLAGS": ""}
    if not environ.get("HOME"):  # Go keeps its caches there
        environ.update(GOPATH=str(PLACE.parent / "go"), GOCACHE=str(PLACE.parent / "go-build"))
    return environ


if __name__ == "__main__":
    try:
        for each in PEERS:
            ensure(each)
    except CannotBuild as error:
        print(f"peers: {error}", file=sys.stderr)
        sys.exit(2)
    except subprocess.CalledProcessError as error:
        print(f"peers: `{' '.join(error.cmd)}` failed with {error.returncode}; see above", file=sys.stderr)
        sys.exit(1)
