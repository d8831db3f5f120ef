"""An image in a registry: its digest now, and what it says of itself.

By the distribution specification, https://github.com/opencontainers/distribution-spec/blob/main/spec.md, and the image
specification, https://github.com/opencontainers/image-spec. An image for several platforms is an index of several
manifests; its digest is the index's, which is what a platform is told to run.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from phases.oci.credentials import find
from phases.oci.reference import Reference, parse
from phases.oci.transport import Answer, RegistryUnavailable, Transport

_INDEXES: Final = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
_MANIFESTS: Final = (
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
_ACCEPT: Final = ", ".join((*_INDEXES, *_MANIFESTS))
_OK, _NOT_FOUND = 200, 404
_SHOWN = 10


@dataclass(frozen=True, slots=True)
class OciImage:
    """One image, pinned.

    Attributes:
        reference: how a platform pulls it: by digest.
        digest: of the image, or of its index.
        labels: what its configuration says of it.
        platforms: those it is for, such as `linux/amd64`; empty where it is no index.
    """

    reference: str
    digest: str
    labels: Mapping[str, str] = field(default_factory=dict)
    platforms: tuple[str, ...] = ()


class OciRegistry:
    """Reads images of any registry.

    Args:
        environ: environment variables, for the credentials.
        prefix: host and path for images that name no registry; without it, that is Docker Hub.
        insecure: speak HTTP; a registry on this machine is always spoken to like that.
        timeout: seconds for one question.
        platform: whose labels are read, of an index.
    """

    def __init__(
        self,
        environ: Mapping[str, str],
        *,
        prefix: str = "",
        insecure: bool = False,
        timeout: float = 10.0,
        platform: str = "linux/amd64",
    ) -> None:
        self._environ = environ
        self._prefix, self._insecure, self._timeout = prefix, insecure, timeout
        self._platform = platform
        self._transports: dict[str, Transport] = {}

    def digest(self, image: str) -> str:
        """Return the digest that an image has now.

        Raises:
            LookupError: there is no such image; the message names the tags there are.
            RegistryUnavailable: the registry does not answer.
        """
        reference = self._parse(image)
        answer = self._manifest("HEAD", reference, reference.version)
        stated = answer.headers.get("docker-content-digest")
        if stated is None or not stated.startswith("sha256:"):
            answer = self._manifest("GET", reference, reference.version)
            return _digest(answer.body)
        return stated

    def resolve(self, image: str) -> OciImage:
        """Return what an image means now, with its labels.

        Raises:
            LookupError: there is no such image.
            RegistryUnavailable: the registry does not answer, or with something else than was asked for.
        """
        reference = self._parse(image)
        answer = self._manifest("GET", reference, reference.version)
        digest = _digest(answer.body)
        if reference.pinned and digest != reference.version:
            raise RegistryUnavailable(f"the registry {reference.host} gives {digest} for {reference}: do not trust it")
        manifest = _json(answer, reference)
        platforms: tuple[str, ...] = ()
        if "manifests" in manifest:
            entries = [entry for entry in manifest["manifests"] if _platform(entry)]
            platforms = tuple(_platform(entry) for entry in entries)
            if not entries:
                return OciImage(reference.at(digest), digest)
            mine = next((entry for entry in entries if _platform(entry) == self._platform), entries[0])
            child = self._manifest("GET", reference, mine["digest"])
            _same(_digest(child.body), mine["digest"], reference)
            manifest = _json(child, reference)
        return OciImage(reference.at(digest), digest, self._labels(reference, manifest), platforms)

    def _labels(self, reference: Reference, manifest: Mapping[str, Any]) -> dict[str, str]:
        wanted = manifest.get("config", {}).get("digest")
        if wanted is None:
            return {}
        answer = self._ask("GET", reference, f"blobs/{wanted}")
        if answer.status != _OK:
            raise RegistryUnavailable(
                f"the registry {reference.host} has {reference} but not its configuration (status {answer.status})"
            )
        _same(_digest(answer.body), wanted, reference)
        config = _json(answer, reference).get("config") or {}
        return {str(key): str(value) for key, value in (config.get("Labels") or {}).items()}

    def _manifest(self, method: str, reference: Reference, version: str) -> Answer:
        answer = self._ask(method, reference, f"manifests/{version}", accept=_ACCEPT)
        if answer.status == _NOT_FOUND:
            raise LookupError(f"there is no {reference}{self._others(reference)}")
        if answer.status != _OK:
            hint = f": check `docker login {reference.host}`" if answer.status in (401, 403) else ""
            raise RegistryUnavailable(
                f"the registry {reference.host} answers with status {answer.status} for {reference}{hint}"
            )
        return answer

    def _others(self, reference: Reference) -> str:
        """Return what else there is, as far as that can be had."""
        try:
            answer = self._ask("GET", reference, f"tags/list?n={_SHOWN * 10}")
            tags = json.loads(answer.body).get("tags") or [] if answer.status == _OK else None
        except (RegistryUnavailable, ValueError, AttributeError):
            return ""
        if tags is None:
            return f"; the registry knows no {reference.repository}"
        shown = ", ".join(tag for tag in sorted(map(str, tags))[-_SHOWN:])
        return f"; tags of {reference.name} there are {shown}" if shown else f"; {reference.name} has no tags there"

    def _ask(self, method: str, reference: Reference, what: str, *, accept: str = "*/*") -> Answer:
        if reference.host not in self._transports:
            self._transports[reference.host] = Transport(
                reference.api,
                secure=not (self._insecure or reference.loopback),
                credentials=lambda: find(reference.host, self._environ),
                timeout=self._timeout,
            )
        transport = self._transports[reference.host]
        scope = f"repository:{reference.name}:pull"
        return transport.ask(method, f"/v2/{reference.name}/{what}", scope=scope, accept=accept)

    def _parse(self, image: str) -> Reference:
        try:
            return parse(image, prefix=self._prefix)
        except ValueError as error:
            raise LookupError(str(error)) from error


def _digest(body: bytes) -> str:
    return "sha256:" + hashlib.sha256(body).hexdigest()


def _same(found: str, wanted: str, reference: Reference) -> None:
    if found != wanted:
        raise RegistryUnavailable(f"the registry {reference.host} gives {found} for {wanted}: do not trust it")


def _platform(entry: Mapping[str, Any]) -> str:
    """Return `os/architecture`; empty for what is no image, such as an attestation beside one."""
    platform = entry.get("platform") or {}
    system, machine = platform.get("os", "unknown"), platform.get("architecture", "unknown")
    return "" if "unknown" in (system, machine) else f"{system}/{machine}"


def _json(answer: Answer, reference: Reference) -> dict[str, Any]:
    try:
        found = json.loads(answer.body)
    except ValueError as error:
        raise RegistryUnavailable(f"the registry {reference.host} gives no JSON for {reference}") from error
    if not isinstance(found, dict):
        raise RegistryUnavailable(f"the registry {reference.host} gives no manifest for {reference}")
    return found
