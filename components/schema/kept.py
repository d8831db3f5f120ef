"""Copies of script directories, so that there is a way down even when the artifact they came with is gone."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from components.schema.errors import ScriptsError

_IGNORED = ("__pycache__", "*.pyc")
_FOLDER = "scripts"
_INDEX = "index.json"


@dataclasses.dataclass(frozen=True, slots=True)
class Kept:
    """A script directory of which there is a copy.

    Attributes:
        digest: SHA-256 over the files' names and contents, as `sha256:...`.
        path: where it can be run from.
    """

    digest: str
    path: Path


def keep(scripts: str | Path, directory: str | Path) -> Kept:
    """Copies the scripts into `directory/scripts/DIGEST`, unless they are there.

    Raises:
        ScriptsError: there is no such script directory.
    """
    source = Path(scripts)
    if not source.is_dir():
        raise ScriptsError(f"the script directory {source} does not exist")
    digest = digest_of(source)
    target = _place(directory, digest)
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        unfinished = Path(tempfile.mkdtemp(prefix=".unfinished-", dir=target.parent))
        try:
            shutil.copytree(source, unfinished / "copy", ignore=shutil.ignore_patterns(*_IGNORED))
            try:
                (unfinished / "copy").rename(target)
            except OSError:
                if not target.exists():  # else somebody else was quicker, with the same content
                    raise
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
    _remember(directory, str(source), digest)
    return Kept(digest, target)


def secure(scripts: str | Path, directory: str | Path) -> Kept:
    """Sees to it that there is a copy, and says which scripts to run: the original while it is there.

    Raises:
        ScriptsError: neither the original nor a copy of it is there.
    """
    original = Path(scripts)
    if original.is_dir():
        return Kept(keep(original, directory).digest, original)
    copy = usable(scripts, directory)
    return Kept(digest_of(copy), copy)


def usable(scripts: str | Path, directory: str | Path, *, digest: str | None = None) -> Path:
    """The scripts where they were, while they are there and unchanged, else their copy.

    The original is preferred since an `env.py` may import what lies beside it.

    Args:
        scripts: where they were.
        directory: where copies are kept.
        digest: of the scripts, where it is known; else the last one kept from that place counts.

    Raises:
        ScriptsError: neither is there.
    """
    original = Path(scripts)
    if original.is_dir() and (digest is None or digest_of(original) == digest):
        return original
    digest = digest or _remembered(directory).get(str(scripts))
    if digest is not None and (copy := _place(directory, digest)).is_dir():
        return copy
    raise ScriptsError(f"the script directory {original} is gone, and {directory} holds no copy of it")


def copies(directory: str | Path) -> tuple[Path, ...]:
    """All copies in a directory, newest first."""
    found = [path for path in (Path(directory) / _FOLDER).glob("*") if (path / "versions").is_dir()]
    return tuple(sorted(found, key=lambda path: path.stat().st_mtime_ns, reverse=True))


def discard(directory: str | Path) -> None:
    """Removes all copies."""
    shutil.rmtree(Path(directory) / _FOLDER, ignore_errors=True)


def digest_of(scripts: str | Path) -> str:
    """SHA-256 over names and contents of all files but compiled ones, as `sha256:...`."""
    root = Path(scripts)
    total = hashlib.sha256()
    for file in sorted(path for path in root.rglob("*") if path.is_file()):
        if "__pycache__" in file.parts or file.suffix == ".pyc":
            continue
        name = file.relative_to(root).as_posix().encode()
        content = hashlib.sha256(file.read_bytes()).digest()
        total.update(len(name).to_bytes(8) + name + content)
    return f"sha256:{total.hexdigest()}"


def _place(directory: str | Path, digest: str) -> Path:
    return Path(directory) / _FOLDER / digest.removeprefix("sha256:")


def _remembered(directory: str | Path) -> dict[str, str]:
    try:
        found: dict[str, str] = json.loads((Path(directory) / _FOLDER / _INDEX).read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        return {}
    return found


def _remember(directory: str | Path, source: str, digest: str) -> None:
    known = _remembered(directory)
    if known.get(source) != digest:
        write_json(Path(directory) / _FOLDER / _INDEX, {**known, source: digest})


def write_json(file: Path, value: Any) -> None:  # noqa: ANN401 - any JSON
    """Writes a file that is there as a whole or not at all, also after a crash."""
    handle, name = tempfile.mkstemp(prefix=f".{file.name}-", dir=file.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as out:
            json.dump(value, out, indent=2, sort_keys=True)
            out.flush()
            os.fsync(out.fileno())
        Path(name).replace(file)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
