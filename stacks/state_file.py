"""Reads a stack's state where the backend is a directory, without starting the CLI.

The CLI takes half a second of a core for each question, most of it for the derivation of a key; a launch asks fifteen
times. What is read here is what `pulumi stack export --show-secrets` and `pulumi stack output --json` say. Whatever is
not known for sure (another format, other secrets, a wrong passphrase) is left to the CLI, whose errors are better.

The formats are Pulumi's: `VersionedCheckpoint` and `SecretV1` of sdk/go/common/apitype, and for secrets its passphrase
provider (`stacks/sealing.py`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from stacks import salt
from stacks.masking import MASK
from stacks.recorded import STACK_TYPE
from stacks.replay_values import SIG_KEY, is_secret
from stacks.sealing import Cipher

_VERSIONS: Final = (3, 4)


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
        return {name: _walked(self._latest.get(name), self._opened) for name in ("resources", "pending_operations")}

    def outputs(self, *, secrets: bool) -> dict[str, Any]:
        """The stack's outputs; without `secrets` each secret is the text `[secret]`.

        Raises:
            NotReadable: one of them is more than a plain value, or its secrets cannot be opened here.
        """
        for resource in self._latest.get("resources") or ():
            if resource.get("type") == STACK_TYPE and not resource.get("delete"):
                return dict(_walked(resource.get("outputs") or {}, self._shown if secrets else _hidden))
        return {}

    def _opened(self, value: Mapping[str, Any]) -> dict[str, Any]:
        if is_secret(value):
            return {SIG_KEY: value[SIG_KEY], "plaintext": self._plaintext(value)}
        return {key: _walked(item, self._opened) for key, item in value.items()}

    def _shown(self, value: Mapping[str, Any]) -> Any:  # noqa: ANN401 - any value
        _must_be_secret(value)
        return _walked(json.loads(self._plaintext(value)), self._shown)

    def _plaintext(self, secret: Mapping[str, Any]) -> str:
        if "plaintext" in secret:
            return str(secret["plaintext"])
        try:
            return self._cipher.open(str(secret["ciphertext"]))
        except (KeyError, ValueError) as error:
            raise NotReadable("a secret cannot be opened") from error

    @cached_property
    def _cipher(self) -> Cipher:
        provider = self._latest.get("secrets_providers") or {}
        if provider.get("type") == "passphrase":
            key = self._key(salt.of(str((provider.get("state") or {}).get("salt"))))
            if key is not None:
                return Cipher(key)
        raise NotReadable("its secrets are encrypted in another way")


def _walked(value: Any, marked: Callable[[dict[str, Any]], Any]) -> Any:  # noqa: ANN401 - any recorded value
    """Return the value with every map in it that has one of the engine's signatures replaced."""
    if isinstance(value, list):
        return [_walked(item, marked) for item in value]
    if not isinstance(value, dict):
        return value
    return marked(value) if SIG_KEY in value else {key: _walked(item, marked) for key, item in value.items()}


def _hidden(value: Mapping[str, Any]) -> str:
    _must_be_secret(value)
    return MASK


def _must_be_secret(value: Mapping[str, Any]) -> None:
    if not is_secret(value):
        raise NotReadable("an output is an asset, an archive or a resource")
