"""The keys that open the secrets of stacks whose secrets provider is Pulumi's passphrase.

Each is derived from the passphrase and the stack's salt by a million rounds of SHA-256, a third of a second of a core,
which is to make guessing a person's passphrase slow. Ours is 256 random bits in a private file; a key in a private file
beside it is as safe, and derived once.

Source: sdk/go/common/resource/config/crypt.go of Pulumi.
"""

from __future__ import annotations

import contextlib
import hashlib
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

from stacks.workdir import private_directory, write_private

_ROUNDS: Final = 1_000_000
_LENGTH: Final = 32


class Keys:
    """Derives keys, and remembers them for as long as this object lives.

    Args:
        passphrase: what they are derived from; None where nobody said.
        kept: the private directory in which they are kept; None for a passphrase that somebody else chose and keeps.
    """

    def __init__(self, passphrase: Callable[[], str | None], kept: Path | None) -> None:
        self._passphrase, self._kept = passphrase, kept
        self._known: dict[str, bytes] = {}
        self._lock = threading.Lock()

    def __call__(self, salt: bytes) -> bytes | None:
        """The key for a salt; None where there is no passphrase."""
        passphrase = self._passphrase()
        if passphrase is None:
            return None
        name = hashlib.sha256(salt + passphrase.encode()).hexdigest()
        with self._lock:
            known = self._known.get(name) or self._read(name)
        key = known or hashlib.pbkdf2_hmac("sha256", passphrase.encode(), salt, _ROUNDS, _LENGTH)
        with self._lock:
            self._known[name] = key
        if known is None:
            self._write(name, key)
        return key

    def _read(self, name: str) -> bytes | None:
        if self._kept is None:
            return None
        with contextlib.suppress(OSError):
            key = (self._kept / name).read_bytes()
            return key if len(key) == _LENGTH else None
        return None

    def _write(self, name: str, key: bytes) -> None:
        if self._kept is None:
            return
        with contextlib.suppress(OSError):  # without it, the key is derived again next time
            write_private(private_directory(self._kept) / name, key)
