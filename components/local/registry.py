"""The local artifact registry: a directory with a folder for each name and an artifact for each tag in it.

`shop:2.0` is `ROOT/shop/2.0`, a file or a directory. `shop@sha256:...` is whichever tag of `shop` has that
digest, and `shop:2.0@sha256:...` is `shop:2.0` if it has it. A launch resolves a reference once, when it
starts, and works with the digest from then on.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from components.local.artifact import DIGEST_PATTERN, ArtifactError, digest

if TYPE_CHECKING:
    from components.local.manifest import Manifest

_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]*"
_REFERENCE = re.compile(rf"(?P<name>{_NAME})(?::(?P<tag>{_NAME}))?(?:@(?P<digest>{DIGEST_PATTERN}))?")


class ArtifactNotFound(ArtifactError):
    """A reference names nothing in the registry.

    Attributes:
        reference: what was looked for.
        known: what there is instead, the nearest first.
    """

    def __init__(self, message: str, *, reference: str, known: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.reference = reference
        self.known = known


@dataclass(frozen=True, slots=True)
class Artifact:
    """One artifact of a registry.

    Attributes:
        name: such as `shop`.
        tag: such as `2.0`.
        digest: `sha256:HEX`, see `components.local.artifact`.
        path: the file or directory.
        manifest: what it says of itself.
    """

    name: str
    tag: str
    digest: str
    path: Path
    manifest: Manifest

    @property
    def pinned(self) -> str:
        """The reference that will always mean this content, `name@sha256:...`."""
        return f"{self.name}@{self.digest}"


class Registry:
    """Finds artifacts below a root directory.

    Args:
        root: the directory; it need not exist before something is looked for.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def names(self) -> tuple[str, ...]:
        """All names, in order."""
        return tuple(sorted(path.name for path in _visible(self.root) if path.is_dir()))

    def tags(self, name: str) -> tuple[str, ...]:
        """All tags of a name, oldest version first (`1.9` before `1.10`); none for a name that is not there."""
        return tuple(sorted((path.name for path in _visible(self.root / name)), key=_version))

    def resolve(self, reference: str) -> Artifact:
        """Find what `name:tag`, `name@sha256:...` or `name:tag@sha256:...` means now.

        Raises:
            ArtifactNotFound: the reference is malformed, or there is no such name, tag or digest.
            ArtifactError: what is there cannot be used, or has another digest than the reference says.
        """
        match = _REFERENCE.fullmatch(reference)
        if match is None or not (match["tag"] or match["digest"]):
            message = f"{reference!r} is no artifact; write name:tag, such as shop:2.0, or name@sha256:..."
            raise ArtifactNotFound(message, reference=reference)
        name, tag, wanted = match["name"], match["tag"], match["digest"]
        tags = self.tags(name)
        if not tags:
            raise self._missing(reference, "name", name, self.names(), f"in {self.root}")
        if tag is None:
            return self._by_digest(reference, name, tags, wanted)
        if tag not in tags:
            raise self._missing(reference, "tag", tag, tags, f"of {name}")
        found = self._artifact(name, tag, digest(self.root / name / tag))
        if wanted not in {None, found.digest}:
            message = f"{name}:{tag} has digest {found.digest}, not {wanted}: it was changed after it was pinned"
            raise ArtifactError(message)
        return found

    def _by_digest(self, reference: str, name: str, tags: tuple[str, ...], wanted: str) -> Artifact:
        digests = {tag: digest(self.root / name / tag) for tag in tags}
        for tag in reversed(tags):
            if digests[tag] == wanted:
                return self._artifact(name, tag, wanted)
        there = ", ".join(f"{tag} = {found}" for tag, found in digests.items())
        message = f"no tag of {name} has digest {wanted}; there are {there}"
        raise ArtifactNotFound(message, reference=reference, known=tags)

    def _artifact(self, name: str, tag: str, found: str) -> Artifact:
        from components.local.manifest import load

        path = self.root / name / tag
        return Artifact(name=name, tag=tag, digest=found, path=path, manifest=load(path))

    def _missing(self, reference: str, what: str, wanted: str, known: tuple[str, ...], where: str) -> ArtifactNotFound:
        near = difflib.get_close_matches(wanted, known, n=len(known) or 1, cutoff=0.0)
        nearest = (*near, *(other for other in known if other not in near))
        if nearest:
            message = f"there is no {what} {wanted!r} {where}; there are {', '.join(nearest)} (nearest first)"
        else:
            message = f"there is no {what} {wanted!r} {where}: nothing is there; put an artifact at NAME/TAG"
        return ArtifactNotFound(message, reference=reference, known=nearest)


def _visible(directory: Path) -> list[Path]:
    if not directory.is_dir():
        return []
    return [path for path in directory.iterdir() if re.fullmatch(_NAME, path.name)]


def _version(tag: str) -> list[tuple[int, int, str]]:
    """A sort key that takes digits for numbers, so that 1.10 follows 1.9."""
    parts = re.findall(r"\d+|\D+", tag)
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in parts]
