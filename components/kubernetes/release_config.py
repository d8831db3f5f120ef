"""The configuration *of a release*: a ConfigMap and a Secret whose names come from what they hold.

Immutable by name: another configuration is another object, so pods of the old release keep theirs to the end, a changed
value makes new pods, and going back to a release is going back to its configuration.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

_LENGTH = 8
"""Hexadecimal digits of the content in a name."""


@dataclass(frozen=True, slots=True)
class ReleaseConfig:
    """Environment variables, as the two objects that pods take them from."""

    config_map: str | None
    """Name of the ConfigMap; None where there is nothing to be put in one."""
    data: Mapping[str, str] = field(repr=False)
    secret: str | None
    """Name of the Secret; None where there is nothing to be put in one."""
    secret_data: Mapping[str, str] = field(repr=False)
    """Encoded as the API wants it, base64: of no use to hide anything."""

    @property
    def sources(self) -> list[dict[str, dict[str, str]]]:
        """Return the `envFrom` of a container; a secret variable goes before a plain one of the same name."""
        found = []
        if self.config_map is not None:
            found.append({"configMapRef": {"name": self.config_map}})
        if self.secret is not None:
            found.append({"secretRef": {"name": self.secret}})
        return found


def release_config(name: str, plain: Mapping[str, str], secret: Mapping[str, str]) -> ReleaseConfig:
    """Return the configuration of the slot with that name."""
    encoded = {key: base64.b64encode(value.encode()).decode() for key, value in secret.items()}
    return ReleaseConfig(
        config_map=f"{name}-{_fingerprint(_text(plain))}" if plain else None,
        data=dict(plain),
        secret=f"{name}-{_slow_fingerprint(name, _text(secret))}" if secret else None,
        secret_data=encoded,
    )


def _text(values: Mapping[str, str]) -> str:
    return json.dumps(dict(values), sort_keys=True)


def _fingerprint(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:_LENGTH]


@functools.lru_cache(maxsize=256)
def _slow_fingerprint(name: str, text: str) -> str:
    """Return a fingerprint that is dear to try guesses against: many see names of Secrets that they may not read."""
    return hashlib.scrypt(text.encode(), salt=name.encode(), n=2**12, r=8, p=1, dklen=_LENGTH // 2).hex()
