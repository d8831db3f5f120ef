"""The keys of stacks' secrets: derived once, and kept only beside a passphrase that is kept as well."""

from __future__ import annotations

import hashlib
import stat
from pathlib import Path

import pytest

from stacks.keys import Keys

SALT = b"saltsalt"


def known(text: str) -> bytes:
    return hashlib.pbkdf2_hmac("sha256", text.encode(), SALT, 1_000_000)


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The passphrases from which a key was derived; that takes no time here, and is right all the same."""
    made: list[str] = []
    real = hashlib.pbkdf2_hmac

    def derive(name: str, passphrase: bytes, salt: bytes, rounds: int, length: int) -> bytes:
        assert rounds == 1_000_000
        made.append(passphrase.decode())
        return real(name, passphrase, salt, 1, length)

    monkeypatch.setattr(hashlib, "pbkdf2_hmac", derive)
    return made


def test_the_key_is_the_one_that_pulumi_derives() -> None:
    assert Keys(lambda: "open sesame", None)(SALT) == known("open sesame")


def test_another_command_finds_it_in_a_file_that_nobody_else_can_read(tmp_path: Path, slow: list[str]) -> None:
    kept = tmp_path / "keys"
    first = Keys(lambda: "ours", kept)(SALT)
    assert Keys(lambda: "ours", kept)(SALT) == first
    assert slow == ["ours"]
    (file,) = kept.iterdir()
    assert (stat.S_IMODE(kept.stat().st_mode), stat.S_IMODE(file.stat().st_mode)) == (0o700, 0o600)


def test_a_passphrase_that_changed_has_a_key_of_its_own(tmp_path: Path, slow: list[str]) -> None:
    assert Keys(lambda: "ours", tmp_path)(SALT) != Keys(lambda: "another", tmp_path)(SALT)
    assert slow == ["ours", "another"]


def test_half_a_key_is_derived_again(tmp_path: Path, slow: list[str]) -> None:
    key = Keys(lambda: "ours", tmp_path)(SALT)
    (file,) = tmp_path.iterdir()
    file.write_bytes(b"half")
    assert Keys(lambda: "ours", tmp_path)(SALT) == key
    assert len(slow) == 2


def test_the_key_of_a_users_passphrase_is_written_nowhere(tmp_path: Path, slow: list[str]) -> None:
    keys = Keys(lambda: "a person's", None)
    assert keys(SALT) == keys(SALT)
    assert (len(slow), list(tmp_path.iterdir())) == (1, [])


def test_without_a_passphrase_there_is_no_key(tmp_path: Path) -> None:
    assert Keys(lambda: None, tmp_path)(SALT) is None
