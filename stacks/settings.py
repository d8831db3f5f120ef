"""Reads the values of `Pulumi.ENV.yaml`; the CLI is asked only where something in it is encrypted or imported."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from phases.errors import ConfigurationError
from stacks import engine_errors
from stacks.updates import ConfigValue, StackSettings

if TYPE_CHECKING:
    from stacks.engine import Engine


def settings_path(root: Path, environment: str) -> Path:
    """The file with the settings of an environment."""
    return root / f"Pulumi.{environment}.yaml"


def read_settings(root: Path, environment: str) -> StackSettings:
    """How the environment's secrets are encrypted; Pulumi's defaults where there is no file.

    Raises:
        ConfigurationError: the file cannot be read.
    """
    document = _document(settings_path(root, environment))
    return StackSettings(
        secretsprovider=_optional(document, "secretsprovider"),
        encryptedkey=_optional(document, "encryptedkey"),
        encryptionsalt=_optional(document, "encryptionsalt"),
    )


def read_config(engine: Engine, environment: str) -> dict[str, ConfigValue]:
    """The values of the environment's file, with secrets decrypted; see `Engine.config`.

    Raises:
        ConfigurationError: the file cannot be read, or its values are kept by a backend that does not know the stack.
        EngineError: a secret cannot be decrypted.
    """
    path = settings_path(engine.root, environment)
    document = _document(path)
    values = document.get("config") or {}
    if not isinstance(values, Mapping):
        raise ConfigurationError(f"{path}: config is not a mapping of keys to values. Correct it and try again.")
    if not _has_secure(values) and not document.get("environment"):
        return {_full_key(str(key), engine.project): ConfigValue(value, secret=False) for key, value in values.items()}
    return _ask_engine(engine, environment, document)


def _ask_engine(engine: Engine, environment: str, document: Mapping[str, Any]) -> dict[str, ConfigValue]:
    """Lets the CLI decrypt, in a copy of the project so that it cannot rewrite the user's files."""
    # Secrets encrypted with a passphrase or by a key service open anywhere; only those that the backend itself
    # encrypts, and imported environments, need the real backend and the stack in it.
    self_contained = bool(
        (document.get("encryptionsalt") or document.get("encryptedkey")) and not document.get("environment")
    )
    with tempfile.TemporaryDirectory(prefix="launch-config-") as scratch:
        directory = Path(scratch)
        (directory / "Pulumi.yaml").write_text(
            json.dumps({"name": engine.project, "runtime": "python"}), encoding="utf-8"
        )
        name = settings_path(directory, environment).name
        env: dict[str, str] = {}
        if self_contained:
            (directory / "state").mkdir()
            env["PULUMI_BACKEND_URL"] = f"file://{directory / 'state'}"
        shutil.copyfile(settings_path(engine.root, environment), directory / name)
        if self_contained:
            engine.command(["stack", "init", environment, "--no-select"], directory, stack=environment, env=env)
        args = ["config", "--show-secrets", "--json", "--stack", environment]
        finished = engine.run_cli(args, directory, env=env)
    if finished.code != 0:
        if engine_errors.no_such_stack(finished):
            raise ConfigurationError(
                f"Pulumi.{environment}.yaml holds values that only the backend {engine.backend.url} can open, and it "
                f"has no stack {environment} yet. Create it with `pulumi stack init {environment}` and try again."
            )
        raise engine_errors.from_command(
            finished, stack=environment, backend=engine.backend.url, verb="reading of the configuration"
        )
    return {key: _config_value(entry) for key, entry in json.loads(finished.stdout).items()}


def _config_value(entry: Mapping[str, Any]) -> ConfigValue:
    value = entry["objectValue"] if "objectValue" in entry else _scalar(entry.get("value"))
    return ConfigValue(value, secret=bool(entry.get("secret")))


def _scalar(value: object) -> object:
    """Numbers and booleans as the plain file would give them; the CLI answers with text."""
    if not isinstance(value, str):
        return value
    try:
        parsed = yaml.safe_load(value)
    except yaml.YAMLError:
        return value
    return parsed if isinstance(parsed, bool | int | float) and str(value).strip() == value else value


def _full_key(key: str, project: str) -> str:
    """Pulumi's own rule: a key without a namespace belongs to the project."""
    return key if ":" in key else f"{project}:{key}"


def _has_secure(value: object) -> bool:
    if isinstance(value, Mapping):
        return set(value) == {"secure"} or any(_has_secure(item) for item in value.values())
    if isinstance(value, list):
        return any(_has_secure(item) for item in value)
    return False


def _document(path: Path) -> Mapping[str, Any]:
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigurationError(f"{path} cannot be read: {error}. Correct the file and try again.") from error
    if document is None:
        return {}
    if not isinstance(document, Mapping):
        raise ConfigurationError(f"{path} does not hold a mapping of settings. Correct the file and try again.")
    return document


def _optional(document: Mapping[str, Any], key: str) -> str | None:
    value = document.get(key)
    return str(value) if value else None
