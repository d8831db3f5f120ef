"""`artifact.yaml`: what a directory artifact says of itself.

Everything in it is optional; what is missing comes from the environment's settings. A file artifact has none.
"""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath
from typing import Annotated

import yaml
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from components.local.artifact import ArtifactError

FILE_NAME = "artifact.yaml"

_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


def _seconds(value: object) -> object:
    """A duration such as `500ms`, `15s` or `2m` in seconds; numbers are seconds already."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)(ms|s|m|h)", value) if isinstance(value, str) else None
    return float(match[1]) * _SECONDS[match[2]] if match else value


def _inside(value: str) -> str:
    path = PurePosixPath(value)
    if path.is_absolute() or ".." in path.parts:
        message = f"{value!r} should be a path inside the artifact, such as 'migrations'"
        raise ValueError(message)
    return value


Seconds = Annotated[float, BeforeValidator(_seconds), Field(gt=0)]
UrlPath = Annotated[str, Field(pattern=r"^/")]


class Strict(BaseModel):
    """Frozen, and an unknown key is a mistake."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ManifestReadiness(Strict):
    """How to see that a process of this release is ready: `GET path` answers `status` within `timeout`."""

    path: UrlPath = "/health"
    status: Annotated[int, Field(ge=100, le=599)] = 200
    timeout: Seconds = 15.0


class Manifest(Strict):
    """The content of `artifact.yaml`.

    Attributes:
        command: the program and its arguments; `${PORT}` and `${ARTIFACT}` are filled in.
        migrations: Alembic script directory, relative to the artifact.
        revision: schema revision that this release wants.
        flags: feature flags that this release reads.
        readiness: when a process of it counts as ready.
        health: URL path that tells how it is while it runs, if not the one of `readiness`.
    """

    command: Annotated[tuple[str, ...], Field(min_length=1)] | None = None
    migrations: Annotated[str, AfterValidator(_inside)] | None = None
    revision: str = "head"
    flags: tuple[str, ...] = ()
    readiness: ManifestReadiness | None = None
    health: UrlPath | None = None


def load(artifact: Path) -> Manifest:
    """The manifest of an artifact; an empty one where it has none.

    Raises:
        ArtifactError: it cannot be read; the message gives file, key path, what was found and what would be
            right.
    """
    path = artifact / FILE_NAME
    if not artifact.is_dir() or not path.exists():
        return Manifest()
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        message = f"{path} is not readable YAML: {error}"
        raise ArtifactError(message) from error
    if content is None:
        return Manifest()
    if not isinstance(content, dict):
        message = f"{path} should hold keys such as `command:`, but holds {type(content).__name__}"
        raise ArtifactError(message)
    try:
        manifest = Manifest.model_validate(content)
    except ValidationError as error:
        message = f"{path}: {_first(error)}"
        raise ArtifactError(message) from error
    if manifest.migrations is not None and not (artifact / manifest.migrations).is_dir():
        message = f"{path}: migrations: there is no directory {manifest.migrations!r} in the artifact"
        raise ArtifactError(message)
    return manifest


def _first(error: ValidationError) -> str:
    lines = []
    for mistake in error.errors():
        where = ".".join(str(part) for part in mistake["loc"])
        if mistake["type"] == "extra_forbidden":
            known = ManifestReadiness if where.startswith("readiness.") else Manifest
            lines.append(f"{where}: there is no such key; there are {', '.join(known.model_fields)}")
        else:
            lines.append(f"{where}: {mistake['msg']}, but found {mistake['input']!r}")
    return "; ".join(lines)
