"""`FeatureFlags`: the flags of an environment, in a file that flagd and OpenFeature providers read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi

from components.local.resources import FlagFile


@dataclass(frozen=True, slots=True)
class FeatureFlagsArgs:
    """Flags and where they are written.

    Attributes:
        path: absolute path of the file.
        flags: flag definitions by key, as https://flagd.dev/reference/flag-definitions/ has them.
    """

    path: pulumi.Input[str]
    flags: pulumi.Input[Mapping[str, pulumi.Input[Mapping[str, Any]]]]


class FeatureFlags(pulumi.ComponentResource):
    """The flags of an environment.

    Attributes:
        file: the resource behind it.
        path: the file.
        digest: SHA-256 of the file.
    """

    file: FlagFile
    path: pulumi.Output[str]
    digest: pulumi.Output[str]

    def __init__(self, name: str, args: FeatureFlagsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("launch:local:FeatureFlags", name, None, opts)
        self.file = FlagFile(name, {"path": args.path, "flags": args.flags}, pulumi.ResourceOptions(parent=self))
        self.path = self.file.path
        self.digest = self.file.digest
        self.register_outputs({"path": self.path, "digest": self.digest})
