"""Puts images into a registry, as a build does: any registry that speaks the distribution API."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import urllib3

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"


class Pusher:
    """Pushes to one repository.

    Args:
        host: the registry, which speaks HTTP.
        name: the repository.
        headers: of every request.
    """

    def __init__(self, host: str, name: str, headers: Mapping[str, str] | None = None) -> None:
        self._base, self._headers = f"http://{host}/v2/{name}", dict(headers or {})

    def blob(self, body: bytes) -> dict[str, Any]:
        """Push a blob; return its descriptor."""
        digest = "sha256:" + hashlib.sha256(body).hexdigest()
        answer = self._send("POST", f"{self._base}/blobs/uploads/?{urlencode({'digest': digest})}", body)
        if answer.status == 202:  # the registry wants two requests
            location = answer.headers["Location"]
            joined = "&" if "?" in location else "?"
            answer = self._send("PUT", f"{location}{joined}{urlencode({'digest': digest})}", body)
        assert answer.status == 201, answer.data
        return {"digest": digest, "size": len(body)}

    def image(self, *tags: str, labels: Mapping[str, str] | None = None, kind: str = MANIFEST) -> dict[str, Any]:
        """Push an image without layers; return its descriptor."""
        config = {"architecture": "amd64", "os": "linux", "config": {"Labels": dict(labels or {})}}
        content = {
            "schemaVersion": 2,
            "mediaType": kind,
            "config": {
                "mediaType": "application/vnd.oci.image.config.v1+json",
                **self.blob(json.dumps(config).encode()),
            },
            "layers": [],
        }
        return self.manifest(content, kind, *tags)

    def index(self, *tags: str, children: Mapping[str, Mapping[str, Any]], kind: str = INDEX) -> dict[str, Any]:
        """Push an index of images by platform; return its descriptor."""
        manifests = []
        for platform, child in children.items():
            system, _, machine = platform.partition("/")
            manifests.append({**child, "platform": {"os": system, "architecture": machine}})
        return self.manifest({"schemaVersion": 2, "mediaType": kind, "manifests": manifests}, kind, *tags)

    def manifest(self, content: Mapping[str, Any], kind: str, *tags: str) -> dict[str, Any]:
        """Push a manifest under tags, or without any; return its descriptor."""
        body = json.dumps(content).encode()
        digest = "sha256:" + hashlib.sha256(body).hexdigest()
        for version in tags or (digest,):
            answer = self._send("PUT", f"{self._base}/manifests/{version}", body, {"Content-Type": kind})
            assert answer.status == 201, answer.data
        return {"mediaType": kind, "digest": digest, "size": len(body)}

    def _send(
        self, method: str, url: str, body: bytes, headers: Mapping[str, str] | None = None
    ) -> urllib3.BaseHTTPResponse:
        given = {"Content-Type": "application/octet-stream", **self._headers, **(headers or {})}
        return urllib3.request(method, url, body=body, headers=given, timeout=30, retries=False)
