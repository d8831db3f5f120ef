"""One measured figure."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Measurement:
    """A figure, and what the same run measured for comparison, if anything."""

    name: str
    value: float
    unit: str
    baseline: float | None = None

    def to_json(self) -> str:
        """One line."""
        return json.dumps({key: value for key, value in asdict(self).items() if value is not None})
