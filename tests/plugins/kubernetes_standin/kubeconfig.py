"""Where the API server is and who asks: what a kubeconfig says.

See https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/.
"""

from __future__ import annotations

import base64
import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .values import Object


class NoCluster(Exception):
    """The configuration names no cluster that could be reached."""


@dataclass(frozen=True)
class Access:
    """How to reach an API server.

    Attributes:
        server: its URL.
        namespace: of objects that name none.
        ca: what signed its certificate (PEM); the system's own authorities where it is empty.
        verify: whether the certificate is looked at.
        certificate: of this client (PEM).
        key: of that certificate (PEM).
        headers: that say who asks, by token or password.
        server_name: that the certificate is for, where it is not that of the URL.
    """

    server: str
    namespace: str = "default"
    ca: bytes = b""
    verify: bool = True
    certificate: bytes = b""
    key: bytes = field(default=b"", repr=False)
    headers: dict[str, str] = field(default_factory=dict, repr=False)
    server_name: str | None = None


def load(path_or_contents: str) -> tuple[Object, Path]:
    """Return the kubeconfig and the folder that its paths start from.

    Args:
        path_or_contents: a file, or the text itself (YAML or JSON); nothing means KUBECONFIG or `~/.kube/config`.

    Raises:
        NoCluster: it cannot be read.
    """
    text, folder = path_or_contents, Path.cwd()
    if not text:
        # Several files would be merged; the first that is there holds everything in practice.
        names = [Path(name) for name in os.environ.get("KUBECONFIG", "").split(os.pathsep) if name]
        names = names or [Path("~/.kube/config").expanduser()]
        found = next((name for name in names if name.is_file()), None)
        if found is None:
            raise NoCluster("invalid configuration: no configuration has been provided, try setting KUBECONFIG")
        text = str(found)
    if "\n" not in text and not text.lstrip().startswith("{"):
        path = Path(text).expanduser()
        try:
            text, folder = path.read_text(encoding="utf-8"), path.absolute().parent
        except OSError as error:
            raise NoCluster(f"{path}: {error.strerror}") from error
    return _parsed(text), folder


def _parsed(text: str) -> Object:
    try:
        parsed: Any = json.loads(text)
    except ValueError:
        import yaml

        try:
            parsed = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - both are safe
        except yaml.YAMLError as error:
            raise NoCluster(f"the kubeconfig is no YAML: {error}") from error
    if not isinstance(parsed, dict):
        raise NoCluster("the kubeconfig holds no map")
    return parsed


def _named(config: Object, group: str, name: str, inner: str) -> Object:
    for entry in config.get(group) or []:
        if entry.get("name") == name:
            found: Object = entry.get(inner) or {}
            return found
    raise NoCluster(f"the kubeconfig has no {inner} {name!r}")


def access(path_or_contents: str, *, context: str = "", cluster: str = "", namespace: str = "") -> Access:
    """Return how to reach the API server.

    Args:
        path_or_contents: see `load`.
        context: to use instead of the current one.
        cluster: to use instead of the context's.
        namespace: to use instead of the context's.

    Raises:
        NoCluster: the kubeconfig cannot be read, or names something that it does not hold.
    """
    config, folder = load(path_or_contents)
    current = context or config.get("current-context") or ""
    if not current:
        raise NoCluster("the kubeconfig has no current context")
    chosen = _named(config, "contexts", current, "context")
    server = _named(config, "clusters", cluster or chosen.get("cluster", ""), "cluster")
    user = _named(config, "users", chosen["user"], "user") if chosen.get("user") else {}
    if user.get("exec") or user.get("auth-provider"):
        raise NoCluster("the stand-in plugin knows certificates, tokens and passwords, no credential programs")
    return Access(
        server=str(server.get("server") or "").rstrip("/"),
        namespace=namespace or chosen.get("namespace") or "default",
        ca=_bytes(server, "certificate-authority", folder),
        verify=not server.get("insecure-skip-tls-verify"),
        certificate=_bytes(user, "client-certificate", folder),
        key=_bytes(user, "client-key", folder),
        headers=_headers(user, folder),
        server_name=server.get("tls-server-name"),
    )


def active_cluster(path_or_contents: str, *, context: str = "", cluster: str = "") -> Object | None:
    """Return the settings of the cluster in use, to see whether it is another one; None where there is none."""
    try:
        config, _ = load(path_or_contents)
        name = cluster or _named(config, "contexts", context or config.get("current-context", ""), "context")["cluster"]
        return _named(config, "clusters", name, "cluster")
    except (NoCluster, KeyError):
        return None


def _bytes(holder: Object, name: str, folder: Path) -> bytes:
    if data := holder.get(f"{name}-data"):
        return base64.b64decode(data)
    if path := holder.get(name):
        try:
            return (folder / str(path)).read_bytes()
        except OSError as error:
            raise NoCluster(f"{folder / path}: {error.strerror}") from error
    return b""


def _headers(user: Object, folder: Path) -> dict[str, str]:
    token = user.get("token") or _bytes({"token": user.get("tokenFile")}, "token", folder).decode().strip()
    if token:
        return {"Authorization": f"Bearer {token}"}
    if user.get("username"):
        pair = f"{user['username']}:{user.get('password', '')}".encode()
        return {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}
    return {}
