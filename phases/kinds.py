"""The kinds of phase."""

from __future__ import annotations

from enum import StrEnum


class PhaseKind(StrEnum):
    """What a phase does."""

    MIGRATION = "migration"
    """Moves the schema to the release's revision."""
    DEPLOY = "deploy"
    """Starts the new slot beside the old one, without users."""
    HEALTH = "health"
    """Asks the new slot whether it works, before it has users."""
    TRAFFIC = "traffic"
    """Moves users to the new slot and switches the flags on."""
    POST_LAUNCH = "post_launch"
    """Only watches, for as long as its window says."""
    CUSTOM = "custom"
    """A team's own program or command."""
