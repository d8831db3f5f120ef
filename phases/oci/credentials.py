"""Who may read from a registry, as `docker login`, `podman login` and credential helpers have left it.

The files: https://docs.docker.com/reference/cli/docker/login/ and
https://github.com/containers/image/blob/main/docs/containers-auth.json.5.md
"""

from __future__ import annotations

import base64
import json
import logging
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

logger = logging.getLogger(__name__)

_HELPER_SECONDS = 20.0
_IDENTITY = "<token>"
"""The user name with which a helper says that the secret is an identity token."""
_HUB = ("https://index.docker.io/v1/", "index.docker.io", "docker.io", "registry-1.docker.io")


@dataclass(frozen=True, slots=True)
class Credentials:
    """A user and a password, or an identity token."""

    user: str = ""
    password: str = field(default="", repr=False)
    identity: str | None = field(default=None, repr=False)

    @property
    def basic(self) -> str:
        """Return the value of the header `Authorization`."""
        return "Basic " + base64.b64encode(f"{self.user}:{self.password}".encode()).decode()


def find(host: str, environ: Mapping[str, str]) -> Credentials | None:
    """Return what is known for a registry; None: ask without.

    Args:
        host: the registry, as images name it.
        environ: environment variables: `REGISTRY_AUTH_FILE`, `DOCKER_CONFIG`, `XDG_RUNTIME_DIR`, `HOME`.
    """
    for path in _files(environ):
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            if path.exists():
                logger.warning("the registry credentials in %s cannot be read: %s", path, error)
            continue
        found = _in(content, host, environ) if isinstance(content, dict) else None
        if found is not None:
            return found
    return None


def _files(environ: Mapping[str, str]) -> Iterator[Path]:
    if file := environ.get("REGISTRY_AUTH_FILE"):
        yield Path(file)
    home = environ.get("HOME")
    if config := environ.get("DOCKER_CONFIG") or (home and f"{home}/.docker"):
        yield Path(config) / "config.json"
    if runtime := environ.get("XDG_RUNTIME_DIR"):
        yield Path(runtime) / "containers" / "auth.json"


def _in(content: dict[str, Any], host: str, environ: Mapping[str, str]) -> Credentials | None:
    names = _HUB if host in _HUB else (host, f"https://{host}", f"https://{host}/", f"http://{host}")
    helpers, auths = content.get("credHelpers") or {}, content.get("auths") or {}
    for name in names:
        if helper := helpers.get(name):
            return _ask(helper, name, environ)
    for name in names:
        if (entry := auths.get(name)) and (known := _entry(entry)):
            return known
    store = content.get("credsStore")
    return _ask(store, names[0], environ) if store else None


def _entry(entry: Mapping[str, Any]) -> Credentials | None:
    user, password = entry.get("username") or "", entry.get("password") or ""
    if entry.get("auth"):
        try:
            user, _, password = base64.b64decode(entry["auth"]).decode().partition(":")
        except ValueError:
            logger.warning("an entry of the registry credentials is no base64")
            return None
    identity = entry.get("identitytoken")
    return Credentials(user, password.rstrip("\0"), identity) if user or identity else None


def _ask(helper: str, name: str, environ: Mapping[str, str]) -> Credentials | None:
    """Ask `docker-credential-HELPER`; whatever goes wrong, the registry then says that it wants to know more."""
    program = f"docker-credential-{helper}"
    try:
        ended = subprocess.run(
            [program, "get"],
            input=name,
            capture_output=True,
            text=True,
            timeout=_HELPER_SECONDS,
            check=True,
            env=dict(environ),
        )
        answer = json.loads(ended.stdout)
        user, secret = answer["Username"], answer["Secret"]
    except (OSError, subprocess.SubprocessError, ValueError, KeyError, TypeError) as error:
        logger.info("%s knows nothing of %s: %s", program, name, type(error).__name__)
        return None
    return Credentials("", "", secret) if user == _IDENTITY else Credentials(user, secret)
