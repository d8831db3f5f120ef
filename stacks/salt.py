"""The salt that goes with our own passphrase, one for all stacks of a directory.

Pulumi makes a salt for every stack, and whoever reads the stacks has to derive a key for each, a third of a second of a
core. A salt keeps keys from being computed in advance for passphrases that many people choose; ours is 256 random bits.

Source: sdk/go/common/resource/config/crypt.go and pkg/secrets/passphrase/manager.go of Pulumi.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Final

from stacks.sealing import Cipher
from stacks.workdir import make_once, write_private

_VERSION: Final = "v1"
_WORD: Final = "pulumi"
_SALT_BYTES: Final = 8


def shared(path: Path, key: Callable[[bytes], bytes | None]) -> str | None:
    """Return the `encryptionsalt` for new stacks, made on first use; None where there is no passphrase.

    It has the form `v1:SALT:v1:NONCE:WORD`: a word, encrypted by the key, by which Pulumi notices a wrong passphrase.

    Args:
        path: the private file that has it.
        key: returns the key for a salt.
    """
    found = _read(path)
    if found is not None and _opens(found, key):
        return found
    made = _made(key)
    if made is None:
        return None
    if found is None and not make_once(path, made.encode()):
        return _read(path)  # somebody else was faster, with the same passphrase
    if found is not None:
        write_private(path, made.encode())  # of a passphrase that is no more
    return made


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return None


def of(text: str) -> bytes:
    """Return the salt in an `encryptionsalt`.

    Raises:
        ValueError: it is none that this module knows.
    """
    version, _, rest = text.partition(":")
    if version != _VERSION:
        raise ValueError(f"a salt has version {version!r}")
    return base64.b64decode(rest.partition(":")[0])


def _made(key: Callable[[bytes], bytes | None]) -> str | None:
    salt = secrets.token_bytes(_SALT_BYTES)
    derived = key(salt)
    if derived is None:
        return None
    return f"{_VERSION}:{base64.b64encode(salt).decode()}:{Cipher(derived).seal(_WORD)}"


def _opens(text: str, key: Callable[[bytes], bytes | None]) -> bool:
    try:
        derived = key(of(text))
        return derived is not None and Cipher(derived).open(text.split(":", 2)[2]) == _WORD
    except (ValueError, IndexError):
        return False
