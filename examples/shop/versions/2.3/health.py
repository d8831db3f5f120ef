"""Whether the shop can do its work: this release waits for a recommendation service that nobody has set up.

The process runs and says that it is ready; whoever only looks at that takes it for a good one.
"""

from __future__ import annotations

from database import Database


def problem(database: Database) -> str | None:  # noqa: ARG001 - as the others have it
    return "the recommendation service does not answer"
