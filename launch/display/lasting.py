"""Output that may lose its reader: the launch goes on all the same, since its users matter more than its watchers."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from typing import Any, TextIO


class Lasting(io.TextIOBase):
    """Passes on to a stream until nobody reads it any more (`| head`, a terminal that was closed); then drops it.

    Args:
        stream: where to.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.lost = False

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """Return the stream's encoding."""
        return getattr(self._stream, "encoding", None) or "utf-8"

    def isatty(self) -> bool:
        """Return whether it is a terminal."""
        return not self.lost and self._stream.isatty()

    def fileno(self) -> int:
        """Return the descriptor, by which the size of a terminal is found."""
        return self._stream.fileno()

    def write(self, text: str) -> int:
        """Write, or drop."""
        return int(self._try("write", text) or len(text))

    def flush(self) -> None:
        """Flush, or do nothing."""
        self._try("flush")

    def _try(self, name: str, *values: str) -> Any:  # noqa: ANN401
        if self.lost:
            return None
        try:
            return getattr(self._stream, name)(*values)
        except (OSError, ValueError):  # the reader is gone, or the stream was closed
            self.lost = True
            _forget(self._stream)
            with contextlib.suppress(OSError, ValueError):
                sys.stderr.write("launch: nobody reads the output any more; the launch goes on, `watch` follows it\n")
            return None


def _forget(stream: TextIO) -> None:
    """Let what is still buffered go nowhere, so that Python does not stumble over it at exit."""
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
