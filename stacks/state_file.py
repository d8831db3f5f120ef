"""Reads a stack's state where the backend is a directory, without starting the CLI.

The CLI takes half a second of a core for each question, most of it for the derivation of a key; a launch asks fifteen
times. What is read here is what `pulumi stack export --show-secrets` and `pulumi stack output --json` say. Whatever is
not known for sure (another format, other secrets, a wrong passphrase) is left to the CLI, whose errors are better.

The formats are Pulumi's: `VersionedCheckpoint` and `SecretV1` of sdk/go/common/apitype, and for secrets its passphrase
provider, `v1:NONCE:CIPHERTEXT` by AES-256-GCM (sdk/go/common/resource/config/crypt.go).
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

_SIGNATURE: Final = "4dabf18193072939515e22adb298388d"
_SECRET: Final = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 - what Pulumi marks every secret with
_VERSIONS: Final = (3, 4)
_STACK_TYPE: Final = "pulumi:pulumi:Stack"
_HIDDEN: Final = "[secret]"


class NotReadable(Exception):
    """It is in no form that this module knows for sure; the CLI has to be asked."""


class StateFile:
    """The newest recorded state of one stack.

    Args:
        path: the backend's file.
        key: returns what opens its secrets, by their salt; called only where there are any.

    Raises:
        NotReadable: it is not there, or is something else.
    """

    def __init__(self, path: Path, key: Callable[[bytes], bytes | None]) -> None:
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            version, checkpoint = content["version"], content["checkpoint"]
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise NotReadable(str(path)) from error
        if version not in _VERSIONS or not isinstance(checkpoint, dict):
            raise NotReadable(f"{path} has version {version!r}")
        self._latest: Mapping[str, Any] = checkpoint.get("latest") or {}
        self._key = key

    def deployment(self) -> dict[str, Any]:
        """The state with its secrets in plain text, which must stay in memory.

        Raises:
            NotReadable: its secrets cannot be opened here.
        """
        return {name: self._open(self._latest.get(name)) for name in ("resources", "pending_operations")}

    def outputs(self, *, secrets: bool) -> dict[str, Any]:
        """The stack's outputs; without `secrets` each secret is the text `[secret]`.

        Raises:
            NotReadable: one of them is more than a plain value, or its secrets cannot be opened here.
        """
        for resource in self._latest.get("resources") or ():
            if resource.get("type") == _STACK_TYPE and not resource.get("delete"):
                return dict(self._show(resource.get("outputs") or {}, secrets=secrets))
        return {}

    def _open(self, value: Any) -> Any:  # noqa: ANN401 - any recorded value
        if isinstance(value, list):
            return [self._open(item) for item in value]
        if not isinstance(value, dict):
            return value
        if value.get(_SIGNATURE) == _SECRET:
            return {_SIGNATURE: _SECRET, "plaintext": self._plaintext(value)}
        return {key: self._open(item) for key, item in value.items()}

    def _show(self, value: Any, *, secrets: bool) -> Any:  # noqa: ANN401
        if isinstance(value, list):
            return [self._show(item, secrets=secrets) for item in value]
        if not isinstance(value, dict):
            return value
        if value.get(_SIGNATURE) == _SECRET:
            return self._show(json.loads(self._plaintext(value)), secrets=True) if secrets else _HIDDEN
        if _SIGNATURE in value:
            raise NotReadable("an output is an asset, an archive or a resource")
        return {key: self._show(item, secrets=secrets) for key, item in value.items()}

    def _plaintext(self, secret: Mapping[str, Any]) -> str:
        if "plaintext" in secret:
            return str(secret["plaintext"])
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        try:
            version, nonce, ciphertext = str(secret["ciphertext"]).split(":")
            if version != "v1":
                raise NotReadable(f"a secret has version {version!r}")
            opened = AESGCM(self._found_key()).decrypt(base64.b64decode(nonce), base64.b64decode(ciphertext), None)
            return opened.decode()
        except (KeyError, ValueError, InvalidTag) as error:
            raise NotReadable("a secret cannot be opened") from error

    def _found_key(self) -> bytes:
        provider = self._latest.get("secrets_providers") or {}
        version, _, rest = str((provider.get("state") or {}).get("salt")).partition(":")
        if provider.get("type") == "passphrase" and version == "v1":
            key = self._key(base64.b64decode(rest.partition(":")[0]))
            if key is not None:
                return key
        raise NotReadable("its secrets are encrypted in another way")
