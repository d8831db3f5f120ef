"""What the world knows while a launch runs: who has which slot, which weights and which flags."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from components.platform import BackendSpec, FlagsSpec, SplitSpec
from launch.configuration.environment import CompanionSettings, RouterSettings
from phases.spec import LaunchSpec


@dataclass(slots=True)
class Situation:
    """The parts of the stacks' outputs that later steps need; replaced after every update.

    Attributes:
        new: name of the new slot.
        old: name of the slot that users were on; None on a first launch.
        slots: of the service, with image, digest and url.
        companions: by service the same, of those that are launched together with it.
        routers: by such a service, where its users come in and where its metrics are.
        weights: percent of users by slot.
        variants: each flag's variant.
        wanted: going back to an earlier launch, the variants its flags had.
        outputs: by phase id, the stack's outputs without secrets.
    """

    new: str
    old: str | None
    slots: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    companions: Mapping[str, Mapping[str, Mapping[str, str]]] = field(default_factory=dict)
    routers: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    weights: Mapping[str, int] = field(default_factory=dict)
    variants: Mapping[str, str] = field(default_factory=dict)
    wanted: Mapping[str, str] = field(default_factory=dict)
    outputs: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    router: str | None = None
    admin: str | None = None
    flag_source: str | None = None
    deployed_by: str | None = None
    """Id of the launch that updated the deploy stack last."""
    _companions: dict[str, Mapping[str, Mapping[str, Mapping[str, str]]]] = field(default_factory=dict, repr=False)
    """By the part they are in; see `launch/parts.py`."""

    def learn_deploy(self, outputs: Mapping[str, Any]) -> None:
        """Take in what the deploy stack says."""
        self.slots = outputs.get("slots") or {}
        self.deployed_by = (outputs.get("launch") or {}).get("id")
        self.learn_part("", outputs)

    def learn_part(self, part: str, outputs: Mapping[str, Any]) -> None:
        """Take in which companions a part of the deploy phase holds."""
        self._companions[part] = outputs.get("companions") or {}
        self.companions = {name: slots for held in self._companions.values() for name, slots in held.items()}

    def learn_traffic(self, outputs: Mapping[str, Any]) -> None:
        """Take in what the traffic stack says."""
        self.weights = {slot: round(weight) for slot, weight in (outputs.get("weights") or {}).items()}
        self.variants = outputs.get("flags") or {}
        self.router, self.admin = outputs.get("url"), outputs.get("admin")
        self.routers = outputs.get("routers") or {}
        self.flag_source = outputs.get("flag_source")

    @property
    def slot_url(self) -> str | None:
        """Return where the new slot answers."""
        return (self.slots.get(self.new) or {}).get("url")

    @property
    def routed(self) -> bool:
        """Return whether every service that is launched together with it has its router already."""
        return self.companions.keys() <= self.routers.keys()

    def shifted(self, percent: int) -> dict[str, int]:
        """Return the weights with that percent of users on the new slot."""
        if self.old is None:
            return {self.new: percent}
        return {self.old: 100 - percent, self.new: percent}

    def split(self, service: str, weights: Mapping[str, int], router: RouterSettings) -> SplitSpec:
        """Return the router's description with those weights."""
        return _split(service, self.slots, weights, router, port=router.port, stable=self.old)

    def companion_splits(
        self, weights: Mapping[str, int], router: RouterSettings, services: Mapping[str, CompanionSettings]
    ) -> tuple[SplitSpec, ...]:
        """Return the other services' routers with the same weights, each on a port of its own.

        One that is in a single slot, because it came with this release or goes with it, has all its users there; once
        all users are on the new slot, one that the release no longer has is not routed to any more.
        """
        done = weights.get(self.new, 0) == 100
        found = []
        for service, slots in sorted(self.companions.items()):
            if self.new not in slots and done:
                continue
            shared = weights if len(slots) > 1 else dict.fromkeys(slots, 100)
            split = _split(service, slots, shared, router, port=0, stable=self.old)
            settings, recorded = services.get(service), self.routers.get(service, {})
            hostnames = settings.hostnames if settings is not None else tuple(recorded.get("hostnames") or ())
            path = settings.path if settings is not None else str(recorded.get("path") or "")
            found.append(replace(split, hostnames=hostnames, path=path, own=False))
        return tuple(found)

    def defaults(self, spec: LaunchSpec) -> dict[str, str]:
        """Return every defined flag's variant as it is now: what was recorded, else its default."""
        return {
            flag.key: variant if (variant := self.variants.get(flag.key, "")) in flag.variants else flag.default
            for flag in spec.flags
        }


def flags_spec(service: str, spec: LaunchSpec, variants: Mapping[str, str]) -> FlagsSpec:
    """Return the flags' description with those variants."""
    return FlagsSpec(service, {flag.key: flag.flagd(variants[flag.key]) for flag in spec.flags})


def _split(
    service: str,
    slots: Mapping[str, Mapping[str, str]],
    weights: Mapping[str, int],
    router: RouterSettings,
    *,
    port: int,
    stable: str | None,
) -> SplitSpec:
    backends = tuple(
        BackendSpec(slot, slots[slot]["url"], weight) for slot, weight in sorted(weights.items()) if slot in slots
    )
    sticky = router.sticky
    return SplitSpec(
        service,
        backends,
        host=router.host,
        port=port,
        cookie=sticky.cookie if sticky else None,
        header=sticky.header if sticky else None,
        stable=stable,
    )
