"""Fetches the flags that are in the cluster, for whoever evaluates them from a file.

What is evaluated is what the cluster holds at that moment, not what the launch thinks it put there.
"""

from __future__ import annotations

import json
import logging
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from components.kubernetes import names
from components.kubernetes.settings import KubernetesSettings

if TYPE_CHECKING:
    from kubernetes.client import ApiClient

_log = logging.getLogger(__name__)

API_VERSION = "core.openfeature.dev/v1beta1"
KIND = "FeatureFlag"
_SCHEME = "kubernetes://"
_PLURALS = {"configmap": "configmaps", "operator": "featureflags"}


class FlagsUnavailable(Exception):
    """The flags could not be read from the cluster; `str()` says which object and why."""


@dataclass(frozen=True, slots=True)
class FlagReference:
    """Which object has the flags; as text it stands where other platforms have a path.

    Attributes:
        kind: `configmap` or `operator`.
        namespace: the object's.
        name: the object's.
    """

    kind: Literal["configmap", "operator"]
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{_SCHEME}{self.namespace}/{_PLURALS[self.kind]}/{self.name}"

    @classmethod
    def parse(cls, text: str) -> FlagReference | None:
        """Return the reference that is written in `text`, or None where it is something else, such as a path."""
        if not text.startswith(_SCHEME):
            return None
        parts = text.removeprefix(_SCHEME).split("/")
        match parts:
            case [namespace, "configmaps", name]:
                return cls("configmap", namespace, name)
            case [namespace, "featureflags", name]:
                return cls("operator", namespace, name)
            case _:
                raise ValueError(f"{text!r} names no flags of a cluster ({_SCHEME}NAMESPACE/configmaps/NAME)")


def fetch(settings: KubernetesSettings, reference: FlagReference) -> str:
    """Return flagd's JSON as it is in the cluster.

    Raises:
        FlagsUnavailable: the object is not there, has no flags, or may not be read; or the cluster does not answer.
    """
    from components.kubernetes.client import ClusterUnavailable, api

    try:
        with api(settings) as client:
            return read(client, reference)
    except ClusterUnavailable as error:
        raise FlagsUnavailable(f"the flags at {reference} cannot be read: {error.reason}") from error


def read(client: ApiClient, reference: FlagReference) -> str:
    """As `fetch`, with a client that is there already."""
    from kubernetes.client import CoreV1Api, CustomObjectsApi
    from kubernetes.client.exceptions import ApiException
    from urllib3.exceptions import HTTPError

    try:
        if reference.kind == "configmap":
            config_map = CoreV1Api(client).read_namespaced_config_map(reference.name, reference.namespace)
            text = (config_map.data or {}).get(names.FLAGS_KEY)
        else:
            group, _, version = API_VERSION.partition("/")
            found: Any = CustomObjectsApi(client).get_namespaced_custom_object(
                group, version, reference.namespace, "featureflags", reference.name
            )
            flags = (found.get("spec") or {}).get("flagSpec")
            text = None if flags is None else json.dumps(flags)
    except ApiException as error:
        why = "it is not there" if error.status == 404 else f"{error.status} {error.reason}"
        raise FlagsUnavailable(f"the flags at {reference} cannot be read: {why}") from error
    except (HTTPError, OSError) as error:
        raise FlagsUnavailable(f"the flags at {reference} cannot be read: the cluster does not answer") from error
    if text is None:
        missing = names.FLAGS_KEY if reference.kind == "configmap" else "flagSpec"
        raise FlagsUnavailable(f"the flags at {reference} cannot be read: there is no {missing} in it")
    return str(text)


@contextmanager
def as_file(settings: KubernetesSettings, source: str) -> Iterator[Path]:
    """Give the flags at `source` as a file that only its owner can read, and remove it afterwards.

    Args:
        settings: the cluster.
        source: what the platform's output `path` says.

    Raises:
        FlagsUnavailable: see `fetch`.
        ValueError: `source` names no flags of a cluster.
    """
    reference = FlagReference.parse(source)
    if reference is None:
        raise ValueError(f"{source!r} names no flags of a cluster")
    with tempfile.TemporaryDirectory(prefix="launch-flags-") as directory:
        yield write(Path(directory), reference, fetch(settings, reference))


def local(settings: KubernetesSettings, source: str, directory: Path) -> str:
    """Return the path of a file with the flags at `source`, fetched now.

    Where they cannot be fetched, no file is left from before, and `source` is returned as it is: who opens it finds no
    file, and the reason is in the log.

    Args:
        settings: the cluster.
        source: what the platform's output `path` says; anything that names no flags of a cluster is returned as it is.
        directory: a private directory on this machine.
    """
    reference = FlagReference.parse(source)
    if reference is None:
        return source
    try:
        return str(write(directory, reference, fetch(settings, reference)))
    except FlagsUnavailable as error:
        _log.warning("%s", error)
        _file(directory, reference).unlink(missing_ok=True)
        return source


def _file(directory: Path, reference: FlagReference) -> Path:
    return directory / f"{reference.name}.flagd.json"


def write(directory: Path, reference: FlagReference, text: str) -> Path:
    """Write flagd's JSON into a private directory and return the file; an earlier one is replaced whole."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = _file(directory, reference)
    scratch = path.with_suffix(f".{os.getpid()}.part")
    descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    scratch.replace(path)
    return path
