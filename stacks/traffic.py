"""The program of the traffic phases: the router's weights and the feature flags.

The router depends on the flags. So an update that goes back - a replay keeps recorded dependencies - switches the
flags off first and moves the users afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from components.platform import FlagsSpec, Platform, SplitSpec
from stacks.marker import KEY, Marker

ROUTERS = "routers"
"""Stack output: by service where users come in and where the metrics are, for the other services of the launch."""


def program(
    platform: Platform,
    *,
    split: SplitSpec,
    flags: FlagsSpec,
    variants: Mapping[str, str],
    marker: Marker,
    companions: Sequence[SplitSpec] = (),
) -> Callable[[], None]:
    """Return the program that gives each slot its weight and each flag its variant.

    Args:
        platform: where the routers are.
        split: of the service.
        flags: of the service.
        variants: each flag's variant, for the record.
        marker: which step this is.
        companions: of the services that are launched together with it.
    """

    def run() -> None:
        import pulumi

        switched = platform.feature_flags(flags)
        routed = platform.traffic_split(split, after=switched)
        others = {other.service: platform.traffic_split(other, after=switched) for other in companions}
        pulumi.export("url", routed.outputs["url"])
        pulumi.export("admin", routed.outputs["admin"])
        pulumi.export("weights", {backend.slot: backend.weight for backend in split.backends})
        pulumi.export("backends", {backend.slot: backend.url for backend in split.backends})
        pulumi.export("flags", dict(variants))
        pulumi.export("flag_source", switched.outputs["path"])
        if others:
            pulumi.export(
                ROUTERS,
                {
                    other.service: {
                        "url": others[other.service].outputs["url"],
                        "admin": others[other.service].outputs["admin"],
                        "hostnames": list(other.hostnames),
                        "path": other.path,
                    }
                    for other in companions
                },
            )
        pulumi.export(KEY, marker.to_output())

    return run
