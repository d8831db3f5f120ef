"""Whether the bytes of a recorded asset or archive can still be had.

The state keeps where an asset came from and the SHA-256 of its bytes, and the bytes themselves only of text assets. An
archive that is not one file has the hash of the tar file that the engine would make of it
(`sdk/go/common/resource/archive/archive.go` of pulumi/pulumi), which is rebuilt here.
"""

from __future__ import annotations

import hashlib
import posixpath
import tarfile
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit
from urllib.request import url2pathname

from stacks.replay_values import Signature, signature, walk

_ARCHIVES: Final = (".tar", ".tgz", ".tar.gz", ".zip", ".jar")
_SKIPPED: Final = ".pulumi"
"""The engine leaves its own bookkeeping out of a folder's archive."""
_BLOCK: Final = 512
_LONGEST_NAME: Final = 100
"""Longer names need tar extensions whose form is the engine's own business."""

Member = tuple[str, bytes]


class _Incomparable(Exception):
    """The archive cannot be hashed here exactly as the engine does it."""


def assets(value: Any) -> Iterator[Mapping[str, Any]]:  # noqa: ANN401 - any property value
    """The assets and archives in a value; those inside an archive belong to it."""
    for _path, item in walk(value):
        if signature(item) in {Signature.ASSET, Signature.ARCHIVE}:
            yield item


def lost(asset: Mapping[str, Any], root: Path) -> str | None:
    """Why the bytes of an asset or archive cannot be had any more; None where they can.

    Args:
        asset: as the state records it.
        root: where relative paths begin: the project's directory.
    """
    try:
        found = _digest(asset, root)
    except (OSError, tarfile.TarError, zipfile.BadZipFile) as error:
        return f"{_whence(asset)} cannot be read ({getattr(error, 'strerror', None) or error})"
    except _Incomparable:
        return None
    # Some providers drop the hash: then all that can be told is that there are bytes.
    if found is None or found == asset.get("hash", found):
        return None
    return f"{_whence(asset)} has changed since"


def _whence(asset: Mapping[str, Any]) -> str:
    return str(asset.get("path") or asset.get("uri") or "a collection of files")


def _digest(asset: Mapping[str, Any], root: Path) -> str | None:
    """The SHA-256 of the bytes as they are now; None where they are recorded, or far away."""
    if signature(asset) == Signature.ARCHIVE:
        return _archive_digest(asset, root)
    path = _local(asset, root)
    return None if path is None else _sha256(path)


def _archive_digest(archive: Mapping[str, Any], root: Path) -> str | None:
    path = _local(archive, root)
    if path is not None and path.name.endswith(_ARCHIVES):
        return _sha256(path)
    if path is None and "assets" not in archive:
        return None
    digest = hashlib.sha256()
    seen: set[str] = set()
    for name, content in _members(archive, root):
        if name not in seen:
            seen.add(name)
            digest.update(_header(name, len(content)))
            digest.update(content + bytes(-len(content) % _BLOCK))
    digest.update(bytes(2 * _BLOCK))
    return digest.hexdigest()


def _local(asset: Mapping[str, Any], root: Path) -> Path | None:
    """The file or folder it comes from, if it comes from this machine."""
    if asset.get("path"):
        return root / str(asset["path"])
    url = urlsplit(asset.get("uri") or "")
    return Path(url2pathname(url.path)) if url.scheme == "file" else None


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _members(archive: Mapping[str, Any], root: Path) -> Iterator[Member]:
    """Names and bytes in the order in which the engine packs them."""
    path = _local(archive, root)
    if path is not None and path.name.endswith(_ARCHIVES):
        yield from _unpacked(path)
    elif path is not None:
        yield from _folder(path, path)
    elif "assets" not in archive:
        raise _Incomparable
    for name, item in sorted(archive.get("assets", {}).items()):
        if signature(item) == Signature.ARCHIVE:
            yield from ((posixpath.join(name, below), content) for below, content in _members(item, root))
        else:
            yield name, _content(item, root)


def _content(asset: Mapping[str, Any], root: Path) -> bytes:
    path = _local(asset, root)
    if path is not None:
        return path.read_bytes()
    if asset.get("uri"):
        raise _Incomparable
    return str(asset.get("text", "")).encode()


def _folder(top: Path, folder: Path) -> Iterator[Member]:
    """Depth first, each folder by name, links to folders left out: Go's `filepath.Walk`."""
    for path in sorted(folder.iterdir(), key=lambda path: path.name):
        if path.name == _SKIPPED or (path.is_symlink() and path.is_dir()):
            continue
        if path.is_dir():
            yield from _folder(top, path)
        else:
            yield path.relative_to(top).as_posix(), path.read_bytes()


def _unpacked(path: Path) -> Iterator[Member]:
    if path.name.endswith((".zip", ".jar")):
        with zipfile.ZipFile(path) as pack:
            yield from ((item.filename, pack.read(item)) for item in pack.infolist() if not item.is_dir())
        return
    with tarfile.open(path) as tar:
        for entry in tar:
            file = tar.extractfile(entry) if entry.isfile() else None
            if file is not None:
                yield entry.name, file.read()


def _header(name: str, size: int) -> bytes:
    """One block of a POSIX ustar archive: mode 0600, no owner, no time."""
    encoded = name.encode()
    if not name.isascii() or len(encoded) > _LONGEST_NAME:
        raise _Incomparable
    fields: Iterable[bytes] = (
        encoded.ljust(_LONGEST_NAME, b"\0"),
        b"0000600\0",
        b"0000000\0" * 2,
        f"{size:011o}\0".encode(),
        b"00000000000\0",
        b" " * 8,
        b"0",
        bytes(_LONGEST_NAME),
        b"ustar\x0000",
        bytes(64),
        b"0000000\0" * 2,
    )
    block = b"".join(fields).ljust(_BLOCK, b"\0")
    checksum = f"{sum(block):06o}\0 ".encode()
    return block[:148] + checksum + block[156:]
