"""The program of a migration phase: the schema at the release's revision."""

from __future__ import annotations

from collections.abc import Callable

from components.platform import Platform, SchemaSpec
from stacks.marker import KEY, Marker


def program(platform: Platform, *, schema: SchemaSpec, marker: Marker) -> Callable[[], None]:
    """Return the program that moves the schema to that revision."""

    def run() -> None:
        import pulumi

        moved = platform.migration(schema)
        pulumi.export("revision", moved.outputs["revision"])
        pulumi.export("previous", moved.outputs["previous"])
        if "log" in moved.outputs:
            pulumi.export("log", moved.outputs["log"])
        pulumi.export(KEY, marker.to_output())

    return run
