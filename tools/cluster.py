"""Builds the Kubernetes control plane that the tests start: real servers, and nodes whose pods only say they run.

`make cluster` runs it; what is built already is left alone, and the second time it ends at once. Nothing comes from a
download site: everything is a Go module, named with its checksum in `tools/cluster/*/go.mod` and `go.sum`.

    .tools/cluster/bin    kube-apiserver, kube-controller-manager, kube-scheduler, etcd, kwok
    .tools/cluster/crds   the Gateway API's resource definitions, and two of kwok's

Standard library only, like tools/setup.py.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from steps import ROOT, TOOLS, Steps, go_environ, run

MODULES = ROOT / "tools" / "cluster"
PLACE = TOOLS / "cluster"
BIN = PLACE / "bin"
CRDS = PLACE / "crds"
STAMP = PLACE / "stamp.json"

KUBERNETES = "1.36.3"
KUBERNETES_FLAGS = " ".join(
    f"-X k8s.io/component-base/version.{name}={value}"
    for name, value in (("gitVersion", f"v{KUBERNETES}"), ("gitMajor", "1"), ("gitMinor", "36"))
)
KWOK_CRDS = ("clusterlogs", "clusterportforwards")


@dataclass(frozen=True)
class Program:
    """One executable.

    Attributes:
        name: of the file in `.tools/cluster/bin`.
        module: folder of its go.mod in `tools/cluster`.
        package: the main package.
        flags: for the linker, beyond those that leave debugging information out.
    """

    name: str
    module: str
    package: str
    flags: str = ""


# The one that takes longest comes first; the two after it share most of its packages.
PROGRAMS = (
    Program("kube-apiserver", "control-plane", "k8s.io/kubernetes/cmd/kube-apiserver", KUBERNETES_FLAGS),
    Program(
        "kube-controller-manager", "control-plane", "k8s.io/kubernetes/cmd/kube-controller-manager", KUBERNETES_FLAGS
    ),
    Program("kube-scheduler", "control-plane", "k8s.io/kubernetes/cmd/kube-scheduler", KUBERNETES_FLAGS),
    Program("etcd", "etcd", "go.etcd.io/etcd/server/v3"),
    Program("kwok", "kwok", "sigs.k8s.io/kwok/cmd/kwok"),
)


steps = Steps("cluster")
step = steps.step


def main() -> int:
    """Does what is not done yet; returns the exit code."""
    return steps.all(PLACE / "lock", _build_what_is_missing)


def _build_what_is_missing() -> bool:
    """Builds each part whose inputs changed, or that is gone; returns whether there was anything to do."""
    done = _stamp()
    parts: list[tuple[str, str, Path, Callable[[], None]]] = [
        (program.name, _fingerprint(program.module, program.flags), BIN / program.name, lambda p=program: _build(p))
        for program in PROGRAMS
    ]
    parts.append(("crds", _fingerprint("gateway-api", "", "kwok", *KWOK_CRDS), CRDS, _definitions))
    missing = [part for part in parts if done.get(part[0]) != part[1] or not part[2].exists()]
    if not missing:
        return False
    if shutil.which("go") is None:
        steps.debian_package(
            "golang-go", "The control plane has to be built, and Go is missing (https://go.dev/doc/install)."
        )
    BIN.mkdir(exist_ok=True)
    for name, fingerprint, _, make in missing:
        make()
        done[name] = fingerprint
        STAMP.write_text(json.dumps(done, indent=1), encoding="utf-8")
    return True


def _stamp() -> dict[str, str]:
    try:
        return dict(json.loads(STAMP.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return {}


def _fingerprint(module: str, *more: str) -> str:
    """What a part depends on: its module's requirements and checksums, and the flags."""
    digest = hashlib.sha256()
    for name in ("go.mod", "go.sum"):
        digest.update((MODULES / module / name).read_bytes())
    digest.update("\0".join(more).encode())
    return digest.hexdigest()


def _build(program: Program) -> None:
    """Builds one program; it appears under its name only when it is whole."""
    with step(f"{program.name} from Go modules"):
        scratch = PLACE / "build"
        scratch.mkdir(exist_ok=True)
        flags = f"-s -w {program.flags}".strip()
        made = scratch / program.name
        run(
            ["go", "build", "-ldflags", flags, "-o", str(made), program.package], MODULES / program.module, go_environ()
        )
        made.replace(BIN / program.name)
        shutil.rmtree(scratch)


def _definitions() -> None:
    """Takes the resource definitions out of the modules that hold them."""
    with step("resource definitions from Go modules"):
        scratch = PLACE / "crds.new"
        shutil.rmtree(scratch, ignore_errors=True)
        gateway = _module("gateway-api", "sigs.k8s.io/gateway-api") / "config" / "crd" / "standard"
        kwok = _module("kwok", "sigs.k8s.io/kwok") / "kustomize" / "crd" / "bases"
        files = {
            "gateway-api": sorted(gateway.glob("gateway.networking.k8s.io_*s.yaml")),
            "kwok": [kwok / f"kwok.x-k8s.io_{name}.yaml" for name in KWOK_CRDS],
        }
        for folder, found in files.items():
            (scratch / folder).mkdir(parents=True)
            for file in found:
                if b"kind: CustomResourceDefinition" in file.read_bytes():
                    shutil.copyfile(file, scratch / folder / file.name)
        shutil.rmtree(CRDS, ignore_errors=True)
        scratch.replace(CRDS)


def _module(folder: str, path: str) -> Path:
    """Where Go keeps a module of the version that the folder's go.mod names, fetched and verified if need be."""
    answer = subprocess.run(
        ["go", "mod", "download", "-json", path],
        cwd=MODULES / folder,
        env=go_environ(),
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return Path(json.loads(answer.stdout)["Dir"])


if __name__ == "__main__":
    sys.exit(main())
