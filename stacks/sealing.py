"""How Pulumi's passphrase provider writes a secret: `v1:NONCE:CIPHERTEXT`, by AES-256-GCM.

Source: sdk/go/common/resource/config/crypt.go of Pulumi.
"""

from __future__ import annotations

import base64
import secrets
from typing import Final

_VERSION: Final = "v1"
_NONCE_BYTES: Final = 12


class Cipher:
    """Seals and opens texts with one key."""

    def __init__(self, key: bytes) -> None:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        self._aes = AESGCM(key)

    def seal(self, text: str) -> str:
        """Return the text, sealed."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = self._aes.encrypt(nonce, text.encode(), None)
        return ":".join([_VERSION, base64.b64encode(nonce).decode(), base64.b64encode(sealed).decode()])

    def open(self, sealed: str) -> str:
        """Return what was sealed.

        Raises:
            ValueError: it is sealed in another way, or with another key.
        """
        from cryptography.exceptions import InvalidTag

        version, nonce, ciphertext = sealed.split(":")
        if version != _VERSION:
            raise ValueError(f"a secret has version {version!r}")
        try:
            return self._aes.decrypt(base64.b64decode(nonce), base64.b64decode(ciphertext), None).decode()
        except InvalidTag as error:
            raise ValueError("it was sealed with another key") from error
