"""One JSON object a line, and nothing else."""

from __future__ import annotations

import json
from typing import TextIO

from launch.display.clean import clean
from phases.events import Event


class JsonLines:
    """Writes each event as the contract has it."""

    def __init__(self, stream: TextIO, *, secrets: tuple[str, ...] = ()) -> None:
        self._stream, self._secrets = stream, secrets

    def __call__(self, event: Event) -> None:
        """Write the event."""
        self._stream.write(json.dumps(clean(event, self._secrets).to_json()) + "\n")
        self._stream.flush()
