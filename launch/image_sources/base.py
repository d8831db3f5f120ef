"""What a launch needs to know of an image, wherever it comes from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from components.platform import ReadinessSpec


class NoSuchImage(LookupError):
    """A reference names nothing in the registry; the message says what there is instead, where that is known."""


@dataclass(frozen=True, slots=True)
class Image:
    """One image, pinned.

    Attributes:
        reference: where the platform gets it: a path, or a reference by digest.
        digest: `sha256:HEX`.
        needs_command: whether somebody has to say how it is started; an image of containers has its own entry point.
        command: the program and arguments that it names itself.
        readiness: when a slot of it is ready, if it says so.
        migrations: Alembic's script directory in it, where it can be read from here.
        revision: the schema revision it wants; `head` is the newest of its scripts, None says nothing.
        flags: the flags it switches on.
    """

    reference: str
    digest: str
    needs_command: bool = True
    command: tuple[str, ...] = ()
    readiness: ReadinessSpec | None = None
    migrations: Path | None = None
    revision: str | None = None
    flags: tuple[str, ...] = ()


class ImageSource(Protocol):
    """A registry of images."""

    def resolve(self, image: str) -> Image:
        """Return what `name:tag` or `name@sha256:...` means now.

        Raises:
            NoSuchImage: it means nothing.
            ConfigurationError: what is there cannot be used, or the registry does not answer.
        """
        ...

    def digest(self, image: str) -> str:
        """Return the digest of an image.

        Raises:
            LookupError: there is no such image.
        """
        ...
