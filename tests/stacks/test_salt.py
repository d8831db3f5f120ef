"""All stacks of a directory have one salt, which goes with our own passphrase."""

from __future__ import annotations

import base64
import hashlib
import stat
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from stacks import salt


class Passphrase:
    """Derives keys at once, and remembers for which salts."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.asked: list[bytes] = []

    def __call__(self, given: bytes) -> bytes:
        self.asked.append(given)
        return hashlib.sha256(given + self.text.encode()).digest()


def test_it_says_what_pulumi_looks_for_in_it(tmp_path: Path) -> None:
    ours = Passphrase("ours")
    made = salt.shared(tmp_path / "salt", ours)

    assert made is not None
    version, first, cipher, nonce, word = made.split(":")
    assert (version, cipher, len(base64.b64decode(first))) == ("v1", "v1", 8)
    key = AESGCM(ours(base64.b64decode(first)))
    assert key.decrypt(base64.b64decode(nonce), base64.b64decode(word), None) == b"pulumi"


def test_the_next_stack_has_the_same_and_nobody_else_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "home" / "salt"
    ours = Passphrase("ours")

    assert salt.shared(path, ours) == salt.shared(path, ours)
    assert len(set(ours.asked)) == 1
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_passphrase_that_was_replaced_gets_a_new_one(tmp_path: Path) -> None:
    before = salt.shared(tmp_path / "salt", Passphrase("lost"))
    after = salt.shared(tmp_path / "salt", Passphrase("ours"))

    assert after not in (None, before)
    assert salt.shared(tmp_path / "salt", Passphrase("ours")) == after


def test_half_a_salt_is_made_again(tmp_path: Path) -> None:
    (tmp_path / "salt").write_text("v1:", encoding="utf-8")

    made = salt.shared(tmp_path / "salt", Passphrase("ours"))

    assert made is not None
    assert (tmp_path / "salt").read_text(encoding="utf-8") == made


def test_without_a_passphrase_there_is_none(tmp_path: Path) -> None:
    assert salt.shared(tmp_path / "salt", lambda _: None) is None
    assert not (tmp_path / "salt").exists()
