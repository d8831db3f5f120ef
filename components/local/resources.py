"""The provider's resources as a program sees them: typed handles on `launch:local:...`.

They live in Python rather than in a generated SDK, since programs and provider come in one package.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi


class Process(pulumi.CustomResource):
    """`launch:local:Process`, see `components.provider.resources.process`."""

    port: pulumi.Output[int]
    url: pulumi.Output[str]
    pid: pulumi.Output[int]
    log: pulumi.Output[str]
    digest: pulumi.Output[str]

    def __init__(self, name: str, props: Mapping[str, Any], opts: pulumi.ResourceOptions | None = None) -> None:
        outputs = {"port": None, "url": None, "pid": None, "log": None}
        super().__init__("launch:local:Process", name, {**props, **outputs}, opts)


class Router(pulumi.CustomResource):
    """`launch:local:Router`, see `components.provider.resources.router`."""

    port: pulumi.Output[int]
    url: pulumi.Output[str]
    admin: pulumi.Output[str]

    def __init__(self, name: str, props: Mapping[str, Any], opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("launch:local:Router", name, {**props, "url": None, "admin": None}, opts)


class FlagFile(pulumi.CustomResource):
    """`launch:local:FlagFile`, see `components.provider.resources.flag_file`."""

    path: pulumi.Output[str]
    digest: pulumi.Output[str]

    def __init__(self, name: str, props: Mapping[str, Any], opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("launch:local:FlagFile", name, {**props, "digest": None}, opts)


class Revision(pulumi.CustomResource):
    """`launch:schema:Revision`, see `components.provider.resources.revision`."""

    revision: pulumi.Output[str]
    previous: pulumi.Output[str]
    created: pulumi.Output[bool]

    def __init__(self, name: str, props: Mapping[str, Any], opts: pulumi.ResourceOptions | None = None) -> None:
        outputs = {"previous": None, "created": None, "snapshotFile": None}
        super().__init__("launch:schema:Revision", name, {**props, **outputs}, opts)

    @property
    def snapshot_file(self) -> pulumi.Output[str | None]:
        """The copy made before the last change, if there is one."""
        found: pulumi.Output[str | None] = pulumi.get(self, "snapshotFile")
        return found
