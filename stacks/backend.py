"""Decides where stack states live."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import yaml

from phases.errors import ConfigurationError

_CLOUD_SCHEMES = frozenset({"http", "https"})


@dataclass(frozen=True, slots=True)
class Backend:
    """A Pulumi backend.

    Attributes:
        url: what PULUMI_BACKEND_URL is set to, with an absolute path where it is a directory.
        source: who decided, for messages.
    """

    url: str
    source: str

    @property
    def engine_url(self) -> str:
        """The URL the engine gets.

        A `file://` backend has a second file beside each state, `NAME.attrs`, with a media type that nobody reads. The
        engine does not write that one in one step, and killed at that moment it leaves an empty one, after which the
        stack can be read by nobody ("failed to load checkpoint: EOF"). `metadata=skip` leaves these files out.

        Source: gocloud.dev/blob/fileblob, whose parameters the URL takes.
        """
        parts = urlsplit(self.url)
        if parts.scheme != "file" or "metadata" in parse_qs(parts.query, keep_blank_values=True):
            return self.url
        return f"{self.url}{'&' if parts.query else '?'}metadata=skip"

    @property
    def directory(self) -> Path | None:
        """The local directory of a `file://` backend, None for any other."""
        parts = urlsplit(self.url)
        return Path(parts.path) if parts.scheme == "file" else None

    @property
    def is_cloud(self) -> bool:
        """Whether it is Pulumi Cloud, which has logins and a secrets provider of its own."""
        return urlsplit(self.url).scheme in _CLOUD_SCHEMES


def choose(root: Path, home: Path, *, explicit: str | None, environ: Mapping[str, str]) -> Backend:
    """The backend: argument, PULUMI_BACKEND_URL, `backend.url` of Pulumi.yaml, else `file://` under `home`.

    Args:
        root: the project's directory, which holds Pulumi.yaml and which relative `file://` URLs start from.
        home: the private directory of launch.
        explicit: a URL that was asked for.
        environ: where PULUMI_BACKEND_URL is read.

    Raises:
        ConfigurationError: Pulumi.yaml cannot be read, or the URL names no backend.
    """
    if explicit:
        return Backend(_absolute(explicit, root, "the backend argument"), "argument")
    from_environment = environ.get("PULUMI_BACKEND_URL", "").strip()
    if from_environment:
        return Backend(_absolute(from_environment, root, "PULUMI_BACKEND_URL"), "PULUMI_BACKEND_URL")
    from_project = _project_backend(root)
    if from_project:
        return Backend(_absolute(from_project, root, "backend.url in Pulumi.yaml"), "Pulumi.yaml")
    return Backend(f"file://{(home / 'state').absolute()}", "default")


def _project_backend(root: Path) -> str | None:
    path = root / "Pulumi.yaml"
    try:
        project = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, yaml.YAMLError) as error:
        raise ConfigurationError(f"{path} cannot be read: {error}. Correct the file and try again.") from error
    backend = project.get("backend") if isinstance(project, dict) else None
    url = backend.get("url") if isinstance(backend, dict) else None
    return str(url) if url else None


def _absolute(url: str, root: Path, source: str) -> str:
    """The URL with its directory made absolute, since the engine runs in directories of its own."""
    scheme, separator, rest = url.partition("://")
    if not separator or not rest:
        raise ConfigurationError(
            f"{source} is {url!r}, which is not the URL of a Pulumi backend. Write for example file://./state, "
            "s3://bucket, azblob://container, gs://bucket, postgres://host/database or https://api.pulumi.com."
        )
    if scheme != "file":
        return url
    path, query_mark, query = rest.partition("?")
    directory = Path(path).expanduser()
    absolute = directory if directory.is_absolute() else root.absolute() / directory
    return f"file://{_normal(absolute)}{query_mark}{query}"


def _normal(path: Path) -> Path:
    """The path without `.` and `..`, symbolic links kept as the user wrote them."""
    parts: list[str] = []
    for part in path.parts:
        if part == "..":
            parts.pop()
        elif part != ".":
            parts.append(part)
    return Path(*parts)
