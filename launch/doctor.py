"""What is installed, what is missing, and how to get it."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from phases.errors import LaunchError

if TYPE_CHECKING:
    from launch.config import EnvironmentConfig

CONNECT_SECONDS = 5
"""How long a database may take to answer; one behind a firewall would take minutes to be given up."""

OWN_REGISTRY = Path(".launch/registry")
"""Where a project keeps its artifacts unless it says otherwise, as `init` writes it."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a launch needs.

    Attributes:
        name: what it is.
        ok: whether nothing is wrong with it.
        told: what was found, or what is wrong and how to mend it.
        to_do: nothing is wrong, but it has yet to be made, and `told` says how.
    """

    name: str
    ok: bool
    told: str
    to_do: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return the finding as one JSON object."""
        return {"name": self.name, "ok": self.ok, "to_do": self.to_do, "told": self.told}

    @property
    def line(self) -> str:
        """Return the finding for people."""
        state = "MISSING" if not self.ok else "to do" if self.to_do else "ok"
        return f"{state:<7}  {self.name:<24} {self.told}"


def examine(root: Path, environ: Mapping[str, str]) -> Iterator[Finding]:
    """Return a finding for each thing that a launch from this directory needs."""
    version = ".".join(map(str, sys.version_info[:3]))
    yield Finding("python", sys.version_info >= (3, 11), f"{version} ({sys.executable})")
    yield _cli(root, environ)
    yield _plugin()
    if not (root / "Pulumi.yaml").exists():
        yield Finding("project", ok=True, told=f"none in {root}; `python -m launch init` begins one", to_do=True)
        return
    yield Finding("project", ok=True, told=str(root / "Pulumi.yaml"))
    yield _backend(root, environ)
    for path in sorted(root.glob("Pulumi.?*.yaml")):
        yield from _environment(root, path.name.removeprefix("Pulumi.").removesuffix(".yaml"), environ)


def _cli(root: Path, environ: Mapping[str, str]) -> Finding:
    from stacks.cli import find

    try:
        cli = find(root, environ=environ)
    except LaunchError as error:
        return Finding("pulumi", ok=False, told=str(error))
    return Finding("pulumi", ok=True, told=f"{cli.version} ({cli.path})")


def _plugin() -> Finding:
    name = "pulumi-resource-launch"
    beside = Path(sys.executable).parent / name
    found = str(beside) if beside.exists() else shutil.which(name)
    return Finding(name, found is not None, found or "not installed beside this Python; `make setup` installs it")


def _backend(root: Path, environ: Mapping[str, str]) -> Finding:
    from stacks import backend

    try:
        chosen = backend.choose(root, root / ".launch", explicit=None, environ=environ)
        if chosen.directory is not None and not chosen.directory.exists():
            return Finding("backend", ok=True, told=f"{chosen.url}, made by the first launch")
        from launch.configuration.locate import project_name
        from stacks.engine import Engine

        names = Engine(project=project_name(root), root=root, environ=environ).stacks()
    except LaunchError as error:
        return Finding("backend", ok=False, told=str(error))
    return Finding("backend", ok=True, told=f"{chosen.url}, {len(names)} stacks")


def _environment(root: Path, environment: str, environ: Mapping[str, str]) -> Iterator[Finding]:
    from launch.asked import engine_for
    from launch.config import load_environment

    name = f"environment {environment}"
    yield _secrets(root, environment, environ)
    try:
        values = engine_for(root, environment, environ).config(environment)
        config = load_environment(environment, root=root, config_values=values)
    except LaunchError as error:
        yield Finding(name, ok=False, told=str(error))
        return
    yield Finding(name, ok=True, told=f"platform {config.settings.platform}")
    registry = config.settings.registry
    if registry.kind == "local":
        yield _registry(f"{environment}: registry", registry.path, own=registry.path == root / OWN_REGISTRY)
    if config.settings.platform == "kubernetes":
        yield _kubernetes_plugin(environ)
        yield from _cluster(environment, config)
    database = config.settings.database
    if database is not None:
        yield _database(environment, database.url, config.secrets)
        if database.snapshot and database.url.startswith("postgres"):
            missing = [tool for tool in ("pg_dump", "pg_restore") if shutil.which(tool) is None]
            told = f"{', '.join(missing)} not on PATH; Debian has postgresql-client" if missing else "on PATH"
            yield Finding(f"{environment}: pg_dump", not missing, told)


def _kubernetes_plugin(environ: Mapping[str, str]) -> Finding:
    name = "pulumi-resource-kubernetes"
    home = Path(environ.get("PULUMI_HOME") or Path.home() / ".pulumi")
    there = shutil.which(name, path=environ.get("PATH")) or next(
        (str(path) for path in sorted((home / "plugins").glob("resource-kubernetes-v*")) if path.is_dir()), None
    )
    return Finding(
        name, ok=True, told=there or "not here yet; Pulumi fetches it with the first update", to_do=not there
    )


def _cluster(environment: str, config: EnvironmentConfig) -> Iterator[Finding]:
    """Ask the cluster what it lets this user do."""
    from components.platforms import platform
    from launch.paths import Paths

    settings, name = config.settings, f"{environment}: cluster"
    where = platform(settings.platform, Paths(config.root, environment).platform, settings.of_platform)
    problems = list(where.problems())
    for problem in problems:
        yield Finding(name, ok=False, told=problem)
    if not problems:
        yield Finding(name, ok=True, told="answers, and allows all that a launch does")


def _secrets(root: Path, environment: str, environ: Mapping[str, str]) -> Finding:
    """Say what encrypts the secrets of the environment's stacks, as `stacks/engine.py` decides it."""
    from stacks import backend
    from stacks.settings import read_settings

    name = f"{environment}: secrets"
    try:
        provider = read_settings(root, environment).secretsprovider
        is_cloud = backend.choose(root, root / ".launch", explicit=None, environ=environ).is_cloud
    except LaunchError as error:
        return Finding(name, ok=False, told=str(error))
    if provider and provider != "passphrase":
        return Finding(name, ok=True, told=f"encrypted by {provider.partition('://')[0]}")
    if is_cloud and not provider:
        return Finding(name, ok=True, told="encrypted by the backend")
    if "PULUMI_CONFIG_PASSPHRASE" in environ:
        return Finding(name, ok=True, told="encrypted with PULUMI_CONFIG_PASSPHRASE")
    named = environ.get("PULUMI_CONFIG_PASSPHRASE_FILE")
    path = Path(named) if named else root / ".launch" / "passphrase"
    if path.is_file():
        return Finding(name, ok=True, told=f"encrypted with the passphrase in {path}; keep a copy")
    if named:
        return Finding(name, ok=False, told=f"PULUMI_CONFIG_PASSPHRASE_FILE names {path}, which is not there")
    return Finding(
        name, ok=True, told=f"encrypted with a passphrase of this machine, made by the first launch in {path}"
    )


def _registry(name: str, path: Path, *, own: bool) -> Finding:
    """Look into a registry; the project's own begins with the first artifact, any other should be there."""
    from components.local.registry import Registry

    names = Registry(path).names() if path.is_dir() else ()
    if names:
        return Finding(name, ok=True, told=f"{path}: {', '.join(names)}")
    there = path.is_dir()
    state = "is empty" if there else "is not there yet" if own else "is not there"
    told = f"{path} {state}; an artifact, what a build makes, goes to {path}/NAME/TAG and is launched as NAME:TAG"
    return Finding(name, ok=there or own, told=told, to_do=there or own)


def _database(environment: str, url: str, secrets: tuple[str, ...]) -> Finding:
    from components.schema.errors import SchemaError
    from components.schema.urls import SQLITE, dialect_of
    from phases.redact import redact

    name = f"{environment}: database"
    if dialect_of(url) == SQLITE:
        return Finding(name, ok=True, told=redact(url, secrets))
    from sqlalchemy import create_engine
    from sqlalchemy.exc import SQLAlchemyError

    try:
        with create_engine(
            url.replace("postgresql://", "postgresql+psycopg://", 1), connect_args={"connect_timeout": CONNECT_SECONDS}
        ).connect():
            return Finding(name, ok=True, told="answers")
    except (SQLAlchemyError, SchemaError) as error:
        first = str(error).splitlines()[0]
        return Finding(name, ok=False, told=redact(f"cannot be reached: {first}", secrets))
