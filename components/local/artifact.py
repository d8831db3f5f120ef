"""Artifacts: a file or a directory, its digest, and copies of it.

The digest of a file is the SHA-256 of its bytes, as `sha256sum` prints it. The digest of a directory is the
SHA-256 of one record for each file and link in it, in the order of their paths' bytes:

    KIND SP HEX SP SP PATH NUL

where KIND is `f` for a file, `x` for an executable file and `l` for a symbolic link, HEX the SHA-256 of the
content or of the link's target, and PATH the path relative to the directory, with `/` between its parts.
Empty directories, owners and times do not count, nor do the leavings of running Python (`__pycache__`,
`*.pyc`), so that a copy that has been run still has its digest. Everything is written `sha256:HEX`.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ALGORITHM: Final = "sha256"
DIGEST_PATTERN: Final = r"sha256:[0-9a-f]{64}"

_CHUNK = 1024 * 1024


class ArtifactError(Exception):
    """An artifact cannot be used; the message says which, why, and what would help."""


def digest(path: Path) -> str:
    """The digest of the file or directory at `path`, as `sha256:HEX`.

    Raises:
        ArtifactError: there is nothing, or it holds something that no digest can cover: a device, a socket,
            or a link that leads out of it.
    """
    if path.is_dir():
        total = hashlib.sha256()
        for record in _records(path):
            total.update(record)
        return f"{ALGORITHM}:{total.hexdigest()}"
    if path.is_file():
        return f"{ALGORITHM}:{_content(path)}"
    raise ArtifactError(_absent(path))


def copy(source: Path, target: Path, *, expected: str) -> None:
    """Copy an artifact to `target` and make sure that the copy has the expected digest.

    The copy appears under its name only when it is whole and right, so a copy that was interrupted is never
    taken for one, and a source that changes meanwhile is noticed.

    Args:
        source: file or directory.
        target: where the copy is to be; a copy that is there already is kept if its digest is right.
        expected: the digest.

    Raises:
        ArtifactError: the source is missing, cannot be copied, or has another digest.
    """
    if target.exists() and digest(target) == expected:
        return
    scratch = target.with_name(f".{target.name}.part")
    try:
        scratch.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _remove(scratch)  # of a try that was killed
        _duplicate(source, scratch)
        found = digest(scratch)
        if found != expected:
            _remove(scratch)
            message = f"{source} has digest {found}, not {expected}: it was changed after it was pinned"
            raise ArtifactError(message)
        _remove(target)
        scratch.rename(target)
    except (OSError, shutil.Error) as error:
        message = f"cannot copy {source} to {target}: {error}"
        raise ArtifactError(message) from error


def _duplicate(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, symlinks=True, ignore=shutil.ignore_patterns("__pycache__", "*.pyc"))
    elif source.is_file():
        shutil.copy(source, target)
    else:
        raise ArtifactError(_absent(source))


def _absent(path: Path) -> str:
    return f"{path} is neither a file nor a directory" if path.exists() else f"there is no artifact at {path}"


def _records(root: Path) -> Iterator[bytes]:
    found = sorted(_walk(root), key=lambda path: os.fsencode(path.relative_to(root).as_posix()))
    for path in found:
        mode = path.lstat().st_mode
        if stat.S_ISLNK(mode):
            kind, content = "l", hashlib.sha256(os.fsencode(_target(path, root))).hexdigest()
        elif stat.S_ISREG(mode):
            kind, content = ("x" if mode & stat.S_IXUSR else "f"), _content(path)
        else:
            message = f"{path} is neither file, directory nor link; an artifact holds nothing else"
            raise ArtifactError(message)
        yield f"{kind} {content}  ".encode() + os.fsencode(path.relative_to(root).as_posix()) + b"\0"


def _walk(root: Path) -> Iterator[Path]:
    for directory, names, files in os.walk(root):
        here = Path(directory)
        links = [name for name in names if (here / name).is_symlink()]
        names[:] = [name for name in names if name != "__pycache__" and name not in links]
        yield from (here / name for name in [*links, *files] if not name.endswith(".pyc"))


def _target(link: Path, root: Path) -> str:
    target = str(link.readlink())
    outside = Path(target).is_absolute() or not Path(os.path.normpath(link.parent.resolve() / target)).is_relative_to(
        root.resolve()
    )
    if outside:
        message = (
            f"{link} leads to {target}, out of the artifact: what is there could change unnoticed; "
            "put the file itself into the artifact"
        )
        raise ArtifactError(message)
    return target


def _content(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, ALGORITHM).hexdigest()


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
