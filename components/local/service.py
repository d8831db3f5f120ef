"""`Service`: one release in one slot, as a real process on this machine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi

from components.local.resources import Process


@dataclass(frozen=True, slots=True)
class ReadinessArgs:
    """When a service is ready: GET `path` answers `status`.

    Attributes:
        path: URL path to ask.
        status: the status code of a ready service.
        timeout: seconds it may take to get ready.
        interval: seconds between two tries.
    """

    path: str = "/health"
    status: int = 200
    timeout: float = 15.0
    interval: float = 0.1


@dataclass(frozen=True, slots=True)
class ServiceArgs:
    """What runs in a slot.

    Attributes:
        directory: absolute runtime directory of this slot alone.
        artifact: absolute path of the file or directory to run a copy of.
        digest: what the artifact has to be, `sha256:HEX`.
        command: program and arguments; `${PORT}` and `${ARTIFACT}` are filled in.
        environment: environment variables; pass secrets as `pulumi.Output.secret(...)`.
        readiness: when it counts as ready; None: as soon as it runs.
    """

    directory: pulumi.Input[str]
    artifact: pulumi.Input[str]
    digest: pulumi.Input[str]
    command: pulumi.Input[Sequence[pulumi.Input[str]]]
    environment: pulumi.Input[Mapping[str, pulumi.Input[str]]] | None = None
    readiness: ReadinessArgs | None = None


class Service(pulumi.ComponentResource):
    """A supervised process of one release, with an address of its own.

    Attributes:
        process: the resource behind it.
        url: where the slot answers.
        log: file with what it prints.
        digest: what it runs.
    """

    process: Process
    url: pulumi.Output[str]
    log: pulumi.Output[str]
    digest: pulumi.Output[str]

    def __init__(self, name: str, args: ServiceArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("launch:local:Service", name, None, opts)
        readiness = args.readiness
        self.process = Process(
            name,
            {
                "directory": args.directory,
                "artifact": args.artifact,
                "digest": args.digest,
                "command": args.command,
                "environment": args.environment,
                "readiness": None
                if readiness is None
                else {
                    "path": readiness.path,
                    "status": readiness.status,
                    "timeoutSeconds": readiness.timeout,
                    "intervalSeconds": readiness.interval,
                },
            },
            pulumi.ResourceOptions(parent=self),
        )
        self.url = self.process.url
        self.log = self.process.log
        self.digest = self.process.digest
        self.register_outputs({"url": self.url, "log": self.log, "digest": self.digest})
