"""Reads and checks everything a launch is configured by; a mistake stops here, before anything is changed.

Nothing is run and nothing is asked: the decrypted values of `Pulumi.ENV.yaml` and the image that runs now are handed
in by the caller.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from launch.configuration import images, merge, references, variables
from launch.configuration.environment import NAMESPACE, EnvironmentSettings
from launch.configuration.explain import validated
from launch.configuration.locate import LAUNCH_FILE, environment_file, project_name, read_environment, read_launch
from launch.configuration.located import Keys, Located
from launch.configuration.problems import Problem, at, refuse
from launch.configuration.secrets import ConfigValue, Opened, opened
from launch.configuration.variables import Variables
from launch.configuration.yaml_source import read
from phases.errors import ConfigurationError
from phases.redact import redact
from phases.spec import LaunchSpec

__all__ = ["Config", "EnvironmentConfig", "load", "load_environment"]


@dataclass(frozen=True, slots=True, repr=False)
class EnvironmentConfig:
    """An environment without a sequence: enough to look at what runs there.

    Attributes:
        root: the project's directory, absolute.
        environment: the environment's name.
        project: the project's name.
        settings: the environment's settings.
        secrets: values to be taken out of everything that is shown or written.
    """

    root: Path
    environment: str
    project: str
    settings: EnvironmentSettings
    secrets: tuple[str, ...]

    def __repr__(self) -> str:
        return f"EnvironmentConfig({self.project}, {self.environment})"


@dataclass(frozen=True, slots=True, repr=False)
class Config:
    """All that a launch is configured by.

    Attributes:
        root: the project's directory, absolute; relative paths start there.
        environment: the environment's name.
        project: the project's name, under which its stacks are kept.
        spec: the sequence, with the environment's settings in it and the limits of every phase complete.
        settings: the environment's settings, their paths absolute.
        image: what is launched; empty where the launch deploys nothing and nothing runs.
        variables: the variables that the sequence uses, with their values.
        source: the sequence's file.
        secrets: values to be taken out of everything that is shown or written.
    """

    root: Path
    environment: str
    project: str
    spec: LaunchSpec
    settings: EnvironmentSettings
    image: str
    variables: Mapping[str, str]
    source: Path
    secrets: tuple[str, ...]

    def __repr__(self) -> str:
        return f"Config({self.project}, {self.environment}, {self.image}, {self.source})"


def load(
    environment: str,
    *,
    root: Path,
    config: Path | None = None,
    image: str | None = None,
    sets: Mapping[str, str] = MappingProxyType({}),
    environ: Mapping[str, str],
    config_values: Mapping[str, ConfigValue] = MappingProxyType({}),
    previous_image: str | None = None,
    image_needed: bool = True,
    environment_source: Path | None = None,
    image_wins: bool = False,
) -> Config:
    """Return the configuration of a launch.

    Args:
        environment: which environment.
        root: the project's directory, with Pulumi.yaml and Pulumi.ENV.yaml.
        config: the sequence's file; by default `launch.yaml` in `root`.
        image: from `--image`.
        sets: from `--set`.
        environ: the process's environment.
        config_values: the decrypted values of Pulumi.ENV.yaml by full key; needed only where it holds encrypted or
            imported values.
        previous_image: what runs now, None before the first launch.
        image_needed: False where nothing will be deployed (`flags list`): `IMAGE_TAG` may then be without a value.
        environment_source: the environment's file where it is not the one in `root`: a launch that is resumed goes on
            with the files as they were when it started, and what they refer to has been looked for then.
        image_wins: True where an earlier launch is gone back to: `image` then takes the place of what the file's
            first deploy phase names.

    Raises:
        ConfigurationError: with every mistake that was found: file, line, key path, what was found, what is right.
    """
    root = root.absolute()
    source = config if config is not None else root / LAUNCH_FILE
    project, values, written, settings, problems = _environment(environment, root, config_values, environment_source)
    launch = read_launch(source, root)

    given = Variables(
        sets=sets, image=image, previous_image=previous_image, environ=environ, defaults=_defaults(written)
    )
    given.check()
    wrong_image = images.argument_problem(given)
    if wrong_image is not None:
        raise ConfigurationError(wrong_image)
    filled = variables.fill(launch, given, empty=frozenset() if image_needed else frozenset({variables.IMAGE}))
    variables.unused(filled, given, file=launch.mark(()).file)

    merged = merge.overlaid(filled.tree, written)
    spec, mistakes = validated(LaunchSpec, merged, context={"root": root})
    if filled.problems:  # what a variable without a value would have been cannot be judged
        unfilled = {problem.mark for problem in filled.problems}
        mistakes = [mistake for mistake in mistakes if mistake.mark not in unfilled]
    if spec is not None and image_wins and image:
        spec = images.replaced(spec, image)
    problems += [*filled.problems, *mistakes]
    if environment_source is None:
        problems += references.problems(merged, written, root=root, environment=environment)
    if spec is not None and not filled.problems:
        problems += images.problems(spec, merged, given, needed=image_needed)
    _refuse(problems, values)
    assert spec is not None  # noqa: S101 - a model that could not be made has left a problem
    assert settings is not None  # noqa: S101 - likewise
    return Config(
        root=root,
        environment=environment,
        project=project,
        spec=merge.resolved(spec, settings),
        settings=_named(_placed(settings, root), project),
        image=images.launched(spec, given),
        variables=filled.used,
        source=source,
        secrets=values.secrets,
    )


def load_environment(
    environment: str, *, root: Path, config_values: Mapping[str, ConfigValue] = MappingProxyType({})
) -> EnvironmentConfig:
    """Return the settings of an environment alone, for commands that look at it and launch nothing.

    Args:
        environment: which environment.
        root: the project's directory.
        config_values: as for `load`.

    Raises:
        ConfigurationError: as for `load`.
    """
    root = root.absolute()
    project, values, _, settings, problems = _environment(environment, root, config_values)
    _refuse(problems, values)
    assert settings is not None  # noqa: S101 - a model that could not be made has left a problem
    return EnvironmentConfig(root, environment, project, _named(_placed(settings, root), project), values.secrets)


def _environment(
    environment: str, root: Path, config_values: Mapping[str, ConfigValue], source: Path | None = None
) -> tuple[str, Opened, Located, EnvironmentSettings | None, list[Problem]]:
    project = project_name(root)
    tree = read_environment(root, environment) if source is None else read(source, name=source.name)
    file = environment_file(root, environment).name
    if not isinstance(tree.data, dict) or not isinstance(tree.data.get("config"), dict | None):
        raise at(tree.mark(("config",)), "it must be a mapping of keys to values: launch:platform: local")
    values = opened(_config(tree), config_values, file=file)
    written = _ours(values.tree)
    settings, mistakes = validated(
        EnvironmentSettings,
        written,
        context={"root": root},
        secret=lambda keys: values.is_hidden((f"{NAMESPACE}:{keys[0]}", *keys[1:])) if keys else False,
    )
    return project, values, written, settings, [*values.problems, *_nested(values.tree), *mistakes]


def _config(tree: Located) -> Located:
    """Return the keys and values; their paths are shown as Pulumi's, without the `config` around them."""
    if tree.data.get("config") is None:
        return Located({}, {(): tree.mark(())})
    below = tree.sub(("config",))
    marks = {
        keys: type(mark)(mark.file, mark.line, mark.where.removeprefix("config").removeprefix("."))
        for keys, mark in below.marks.items()
    }
    return Located(below.data, marks, below.plain)


def _ours(tree: Located) -> Located:
    """Return the keys of our namespace, without it; messages still show it."""
    prefix = f"{NAMESPACE}:"

    def own(keys: Keys) -> bool:
        return not keys or str(keys[0]).startswith(prefix)

    def bare(keys: Keys) -> Keys:
        return (str(keys[0]).removeprefix(prefix), *keys[1:]) if keys else ()

    return Located(
        {key.removeprefix(prefix): value for key, value in tree.data.items() if own((key,))},
        {bare(keys): mark for keys, mark in tree.marks.items() if own(keys)},
        frozenset(bare(keys) for keys in tree.plain if own(keys)),
    )


def _nested(tree: Located) -> list[Problem]:
    below = tree.data.get(NAMESPACE)
    if not isinstance(below, dict):
        return []
    keys = ", ".join(f"{NAMESPACE}:{key}" for key in below)
    return [Problem(tree.mark((NAMESPACE,)), f"Pulumi's keys are not nested; write {keys} in one piece")]


def _defaults(written: Located) -> dict[str, str]:
    found = written.get(("variables",))
    if not isinstance(found, dict):
        return {}
    return {
        name: str(value).lower() if isinstance(value, bool) else str(value)
        for name, value in found.items()
        if isinstance(value, str | int)
    }


def _placed(settings: EnvironmentSettings, root: Path) -> EnvironmentSettings:
    """Begin the registry's path at the project's directory, also where nobody wrote it: defaults know no directory."""
    registry = settings.registry.model_copy(update={"path": root / settings.registry.path})
    return settings.model_copy(update={"registry": registry})


def _named(settings: EnvironmentSettings, project: str) -> EnvironmentSettings:
    """Fill in the service's name: the project's, in the letters that names of resources may have."""
    if settings.service.name:
        return settings
    service = settings.service.model_copy(update={"name": project.lower().replace("_", "-").replace(".", "-")})
    return settings.model_copy(update={"service": service})


def _refuse(problems: list[Problem], values: Opened) -> None:
    refuse(Problem(problem.mark, redact(problem.text, values.secrets)) for problem in problems)
