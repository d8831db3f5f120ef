"""Finding policy files."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

STARTER = Path(__file__).parent / "starter"
"""The policies that come with `launch`."""
_PACKAGE = re.compile(r"^\s*package\s+(\S+)", re.MULTILINE)
_RULE = re.compile(r"^(deny|warn)\b", re.MULTILINE)


class PolicyFileError(ValueError):
    """A policy file is not there or cannot be used; `str()` names it and says what would be right."""


@dataclass(frozen=True, slots=True)
class PolicyFile:
    """One file of Rego.

    Attributes:
        name: its path, relative to the project where it lies inside.
        source: its text.
        package: what its `package` line says.
    """

    name: str
    source: str
    package: str

    @property
    def decides(self) -> bool:
        """Return whether it defines `deny` or `warn`; otherwise it only helps others."""
        return _RULE.search(self.source) is not None


def read(paths: Sequence[str], root: Path) -> tuple[PolicyFile, ...]:
    """Return the policies at `paths`: files, or folders with `.rego` files at any depth, without `_test.rego` files.

    Args:
        paths: relative to `root`, or absolute.
        root: the project's directory.

    Raises:
        PolicyFileError: a path does not exist or holds no policies, a file is no UTF-8 text or has no `package`, or
            no file defines `deny` or `warn`: a set of policies that can say nothing is a mistake.
    """
    files = tuple(_file(path, root) for path in dict.fromkeys(_walk(paths, root)))
    if not any(file.decides for file in files):
        raise PolicyFileError(
            f"no policy in {', '.join(paths)} defines `deny` or `warn`; write `deny contains message if {{ ... }}`"
        )
    return files


def _walk(paths: Sequence[str], root: Path) -> Iterator[Path]:
    for given in paths:
        path = root / given
        if path.is_dir():
            found = sorted(file for file in path.rglob("*.rego") if not file.name.endswith("_test.rego"))
            if not found:
                raise PolicyFileError(f"the folder {given} holds no .rego files")
            yield from found
        elif path.exists():
            yield path
        else:
            raise PolicyFileError(f"there is no policy file or folder {given} in {root}")


def _file(path: Path, root: Path) -> PolicyFile:
    name = str(path.relative_to(root)) if path.is_relative_to(root) else str(path)
    if path.is_relative_to(STARTER):
        name = f"starter/{path.relative_to(STARTER)}"
    try:
        source = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise PolicyFileError(
            f"{name} cannot be read: {getattr(error, 'strerror', None) or 'no UTF-8 text'}"
        ) from error
    package = _PACKAGE.search(source)
    if package is None:
        raise PolicyFileError(f"{name}:1: there is no `package` line; begin with one, such as `package launch`")
    return PolicyFile(name, source, package[1])
