"""What an image is called in a registry: `HOST/NAME:TAG` or `HOST/NAME@sha256:HEX`."""

from __future__ import annotations

import re
from dataclasses import dataclass

DOCKER_HUB = "docker.io"
_HUB_API = "registry-1.docker.io"
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_NAME = re.compile(r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*")
_LOOPBACK = re.compile(r"(localhost|127(\.\d+){3}|\[::1\])(:\d+)?")


@dataclass(frozen=True, slots=True)
class Reference:
    """One image in one registry.

    Attributes:
        host: the registry, with its port where it has one.
        name: the repository there.
        version: a tag, or `sha256:HEX`.
    """

    host: str
    name: str
    version: str

    @property
    def pinned(self) -> bool:
        """Return whether it can only ever mean one thing."""
        return _DIGEST.fullmatch(self.version) is not None

    @property
    def loopback(self) -> bool:
        """Return whether the registry is on this machine."""
        return _LOOPBACK.fullmatch(self.host) is not None

    @property
    def api(self) -> str:
        """Return the host whose API it is; Docker Hub's is not that of its images."""
        return _HUB_API if self.host == DOCKER_HUB else self.host

    @property
    def repository(self) -> str:
        """Return it without tag or digest, as a platform pulls it."""
        return f"{self.host}/{self.name}"

    def at(self, digest: str) -> str:
        """Return how a platform pulls exactly that digest."""
        return f"{self.repository}@{digest}"

    def __str__(self) -> str:
        """Return it as it is written."""
        return f"{self.repository}{'@' if self.pinned else ':'}{self.version}"


def parse(image: str, *, prefix: str = "") -> Reference:
    """Return what `image` means.

    As Docker has it, the part before the first slash is a registry where it has a dot or a port, or is `localhost`.

    Args:
        image: with a tag or a digest. With both, the digest counts.
        prefix: host and path for images that name no registry; without it, that is Docker Hub.

    Raises:
        ValueError: it is no such reference.
    """
    rest, _, digest = image.partition("@")
    head, slash, tail = rest.partition("/")
    if slash and ("." in head or ":" in head or head == "localhost"):
        host, path = head, tail
    elif prefix:
        host, _, under = prefix.partition("/")
        path = f"{under}/{rest}" if under else rest
    else:
        host, path = DOCKER_HUB, rest if slash else f"library/{rest}"
    name, _, tag = path.partition(":")
    version = digest or tag
    if not _NAME.fullmatch(name) or not (_DIGEST if digest else _TAG).fullmatch(version) or not host:
        raise ValueError(f"{image!r} is no reference of an image such as ghcr.io/team/shop:2.0 or shop@sha256:HEX")
    return Reference(host, name, version)
