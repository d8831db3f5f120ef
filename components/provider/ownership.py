"""Tells which of two resources owns a place in the file system.

A resource that is renamed, or replaced although its place stays the same, is created under its new identity
before the old one is deleted; deleting by place alone would then remove the new one. So each create writes a
fresh token beside what it makes and keeps it in its outputs, and a delete whose token is not the one on disk
leaves all as it is.
"""

from __future__ import annotations

import os
import secrets
import shutil
from pathlib import Path

from components.provider.resource import ResourceFailure

NAME = ".launch-owner"


def claim(marker: Path) -> str:
    """Write a fresh token to `marker` and return it."""
    token = secrets.token_hex(8)
    marker.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    scratch = marker.with_name(f"{marker.name}.{os.getpid()}.part")
    scratch.write_text(token, encoding="ascii")
    scratch.replace(marker)
    return token


def owned(marker: Path, token: object) -> bool:
    """Whether `marker` still holds `token`; a marker that is gone belongs to whoever asks."""
    try:
        return marker.read_text(encoding="ascii") == token
    except (FileNotFoundError, NotADirectoryError):
        return True


def foreign(directory: Path) -> bool:
    """Whether `directory` holds something that no resource of this provider put there."""
    if not directory.is_dir() or (directory / NAME).exists():
        return False
    return any(not path.name.startswith(NAME) for path in directory.iterdir())  # `claim` may have been killed


def remove(directory: Path) -> None:
    """Remove a directory of ours, its mark last: what cannot be removed is still ours at the next try.

    Raises:
        ResourceFailure: something in it cannot be removed.
    """
    if foreign(directory):
        return
    try:
        for path in directory.iterdir():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            elif path.name != NAME:
                path.unlink()
        (directory / NAME).unlink(missing_ok=True)
        directory.rmdir()
    except OSError as error:
        message = f"{directory} cannot be removed: {error}"
        raise ResourceFailure(message) from error
