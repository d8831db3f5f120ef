"""Feature flags of a service: who owns them, what this launch does with them, and what is owed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Literal

from pydantic import Field, model_validator

from phases.model import Settings

Value = bool | int | float | str | dict[str, Any]


class FlagSpec(Settings):
    """A feature flag."""

    key: str
    """Its name, as the code asks for it."""
    kind: Literal["release", "operational", "experiment", "permission"] = "release"
    """A release flag separates launch from deployment and is removed afterwards; the others may live long."""
    description: str | None = None
    """What it switches."""
    owner: str | None = None
    """Who answers for it and removes it."""
    created: date | None = None
    """Since when there is such a flag."""
    expires: date | None = None
    """When a release flag must be gone."""
    cleanup: str | None = None
    """The pull request, or the ticket, that removes it."""
    variants: Mapping[str, Value] = Field(default_factory=lambda: {"on": True, "off": False})
    """The values it can have, by name (flagd's `variants`)."""
    default: str = "off"
    """The variant before the launch and after a rollback, where nothing else was recorded."""
    launch: str = "on"
    """The variant that a launch of a release which uses the flag switches to."""
    targeting: Mapping[str, Any] | None = None
    """flagd's targeting rule (JsonLogic), if any."""

    @model_validator(mode="after")
    def _variants_exist(self) -> FlagSpec:
        for name in (self.default, self.launch):
            if name not in self.variants:
                raise ValueError(f"flag {self.key!r} has no variant {name!r}; it has {', '.join(self.variants)}")
        return self

    def flagd(self, variant: str) -> dict[str, Any]:
        """Return the flag as flagd's JSON holds it (https://flagd.dev/reference/flag-definitions/)."""
        flag: dict[str, Any] = {
            "state": "ENABLED",
            "variants": dict(self.variants),
            "defaultVariant": variant,
            "metadata": {
                key: str(value)
                for key in ("kind", "owner", "created", "expires", "cleanup", "description")
                if (value := getattr(self, key)) is not None
            },
        }
        # A rule that targets some users applies while the flag is at its launch variant; off means off for everybody.
        if self.targeting and variant == self.launch:
            flag["targeting"] = dict(self.targeting)
        return flag

    def owed(self, today: date) -> tuple[str, ...]:
        """Return what is missing before a release with this flag may be generally available."""
        if self.kind != "release":
            return ()
        missing = [name for name in ("owner", "expires", "cleanup") if getattr(self, name) is None]
        if self.expires is not None and self.expires < today:
            missing.append(f"removal (expired {self.expires})")
        return tuple(missing)
