"""The local platform: every component as a process or a file on this machine."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import pulumi

from components.local.feature_flags import FeatureFlags, FeatureFlagsArgs
from components.local.migration import Migration, MigrationArgs
from components.local.service import ReadinessArgs, Service, ServiceArgs
from components.local.traffic_split import BackendArgs, StickyArgs, TrafficSplit, TrafficSplitArgs
from components.platform import FlagsSpec, Placed, SchemaSpec, SlotSpec, SplitSpec


class LocalPlatform:
    """Everything below one directory.

    Args:
        directory: the environment's private directory.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def environment(self, service: str) -> Mapping[str, str]:
        """Return where the service finds its flags."""
        return {"FLAGD_FILE": str(self._directory / "flags" / f"{service}.flagd.json")}

    def slot_options(self) -> Mapping[str, Any]:
        """Return nothing: a process needs no more than its description says."""
        return {}

    def service(self, spec: SlotSpec) -> Placed:
        """Register a slot: a supervised process."""
        readiness = spec.readiness
        made = Service(
            spec.name,
            ServiceArgs(
                directory=str(self._directory / "slots" / spec.name),
                artifact=spec.artifact,
                digest=spec.digest,
                command=list(spec.command),
                environment={
                    key: pulumi.Output.secret(value) if key in spec.secret_keys else value
                    for key, value in spec.environment.items()
                },
                readiness=None
                if readiness is None
                else ReadinessArgs(readiness.path, readiness.status, readiness.timeout, readiness.interval),
            ),
        )
        return Placed(made, {"url": made.url, "log": made.log, "digest": made.digest})

    def traffic_split(self, spec: SplitSpec, *, after: Placed | None) -> Placed:
        """Register the router: a process that proxies HTTP by weight."""
        made = TrafficSplit(
            spec.service,
            TrafficSplitArgs(
                backends=[BackendArgs(backend.slot, backend.url, backend.weight) for backend in spec.backends],
                directory=str(self._directory / "router" / spec.service),
                host=spec.host,
                port=spec.port,
                sticky=StickyArgs(spec.cookie, spec.header) if spec.cookie or spec.header else None,
            ),
            pulumi.ResourceOptions(depends_on=[after.component] if after else None),
        )
        return Placed(made, {"url": made.url, "admin": made.admin})

    def migration(self, spec: SchemaSpec) -> Placed:
        """Register the schema, moved by Alembic."""
        made = Migration(
            spec.service,
            MigrationArgs(
                url=pulumi.Output.secret(spec.url),
                scripts=spec.scripts,
                revision=spec.revision,
                directory=str(self._directory / "schema"),
                snapshot=spec.snapshot,
            ),
        )
        return Placed(made, {"revision": made.revision, "previous": made.previous})

    def feature_flags(self, spec: FlagsSpec) -> Placed:
        """Register the flags: a file in flagd's format."""
        made = FeatureFlags(
            spec.service, FeatureFlagsArgs(path=self.environment(spec.service)["FLAGD_FILE"], flags=spec.flags)
        )
        return Placed(made, {"path": made.path, "digest": made.digest})

    def problems(self) -> Iterable[str]:
        """Return nothing: this machine has been asked nothing."""
        return ()

    def reach(self, service: str) -> Callable[[str], AbstractContextManager[str]]:
        """Leave addresses as they are: a slot is a process on this machine."""
        del service
        return nullcontext

    def rollout(self, service: str, url: str | None) -> None:
        """Return nobody: a slot is one supervised process, and its update ends when it is ready."""
        del service, url

    def flag_file(self, source: str) -> str:
        """Return the file that services read."""
        return source

    def adopted(self, service: str, slot: str) -> None:
        """Return nothing: what runs here without us is not supervised."""
        del service, slot
