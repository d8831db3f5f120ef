"""Which files hold the configuration, and what they are called in messages."""

from __future__ import annotations

import re
from pathlib import Path

from launch.configuration.environment import NAMESPACE
from launch.configuration.located import Located
from launch.configuration.problems import Mark, at, listed, nearest, shown
from launch.configuration.yaml_source import read
from phases.errors import ConfigurationError

LAUNCH_FILE = "launch.yaml"
PROJECT_FILE = "Pulumi.yaml"

_ENVIRONMENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,59}")  # with a phase's id it stays within Pulumi's 100
_PROJECT = re.compile(r"[A-Za-z0-9_.-]{1,100}")


def shown_path(path: Path, root: Path) -> str:
    """Return a path as messages show it: from the project's directory where it lies in it."""
    absolute = path.absolute()
    return str(absolute.relative_to(root)) if absolute.is_relative_to(root) else str(path)


def environment_file(root: Path, environment: str) -> Path:
    """Return the path of an environment's settings, which need not exist."""
    return root / f"Pulumi.{environment}.yaml"


def environments(root: Path) -> list[str]:
    """Return the environments that have settings."""
    return sorted(path.name.removeprefix("Pulumi.").removesuffix(".yaml") for path in root.glob("Pulumi.?*.yaml"))


def must_exist(root: Path, environment: str) -> Path:
    """Return the path of an environment's settings.

    Raises:
        ConfigurationError: the name cannot be an environment's, or there is no such file.
    """
    if not _ENVIRONMENT.fullmatch(environment):
        raise ConfigurationError(
            f"{environment!r} cannot be an environment; a name has at most 60 letters, digits, _, - and ., and begins "
            "with a letter or a digit."
        )
    path = environment_file(root, environment)
    known = environments(root)
    # A file system that ignores case would answer for Dev with the file of dev, and the stacks would be other ones.
    if environment not in known:
        raise ConfigurationError(
            f"{path.name}: there is no such file{nearest(environment, known)}; the environments here are "
            f"{listed(known, none='none yet')}. `python -m launch init` writes Pulumi.dev.yaml; any other is a file "
            "beside it, and an empty one will do."
        )
    return path


def read_environment(root: Path, environment: str) -> Located:
    """Return the content of `Pulumi.ENV.yaml`.

    Raises:
        ConfigurationError: the name cannot be an environment's, or there is no such file.
    """
    path = must_exist(root, environment)
    return read(path, name=path.name)


def read_launch(path: Path, root: Path) -> Located:
    """Return the content of `launch.yaml`.

    Raises:
        ConfigurationError: there is no such file, or it has no `launch`.
    """
    name = shown_path(path, root)
    if not path.exists():
        raise ConfigurationError(
            f"{name}: there is no such file. `python -m launch init` writes one; `--config FILE` names another."
        )
    tree = read(path, name=name)
    if not isinstance(tree.data, dict):
        raise at(tree.mark(()), "the file must hold a mapping with the key launch")
    for key in tree.data:
        if key != "launch" and not key.startswith("x-"):
            raise at(
                tree.mark((key,)),
                f"there is no such key{nearest(key, ['launch'])}; a launch file has the key launch, and for values "
                "that anchors name, keys that begin with x-",
            )
    if "launch" not in tree.data:
        raise at(tree.mark(()), "the key launch is missing; it holds the phases: launch: {phases: [...]}")
    return tree.sub(("launch",))


def project_name(root: Path) -> str:
    """Return the project's name, under which its stacks are kept.

    The name is not taken from the directory: two checkouts of a project must find the same stacks.

    Raises:
        ConfigurationError: there is no Pulumi.yaml, it has no usable name, or it has settings of ours, which would not
            be read.
    """
    path = root / PROJECT_FILE
    if not path.exists():
        raise ConfigurationError(
            f"{PROJECT_FILE}: there is no such file in {root}. It names the project, and two lines will do:\n"
            "    name: shop\n"
            "    runtime: python"
        )
    tree = read(path, name=PROJECT_FILE)
    name = tree.get(("name",))
    mark = tree.mark(("name",)) if isinstance(tree.data, dict) else Mark(PROJECT_FILE, 1, "name")
    if name is None:
        raise at(mark, "this key is missing; it is the project's name, under which its stacks are kept: name: shop")
    if not isinstance(name, str) or not _PROJECT.fullmatch(name):
        raise at(mark, f"found {shown(name)}; it must be a name of letters, digits, _, - and ., at most 100")
    shared = tree.get(("config",))
    for key in shared if isinstance(shared, dict) else ():
        if key.startswith(f"{NAMESPACE}:"):
            raise at(
                tree.mark(("config", key)), "settings of a launch are an environment's; write it in Pulumi.ENV.yaml"
            )
    return name
