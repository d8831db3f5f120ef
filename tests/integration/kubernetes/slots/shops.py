"""The deploy stack of a shop in a namespace of its own, for tests of slots."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from components.kubernetes.platform import KubernetesPlatform
from components.kubernetes.settings import KubernetesSettings
from components.platform import ReadinessSpec, SlotSpec
from stacks import deploy, going_back
from stacks.checkpoint import Checkpoint
from stacks.engine import StackHandle
from stacks.marker import Marker
from tests.cluster.cluster import Cluster
from tests.cluster.rest import Refused
from tests.cluster.waiting import wait_until

DIGEST = "sha256:" + "1" * 64
NEXT_DIGEST = "sha256:" + "2" * 64
MARKER = Marker("launch", "deploy", "step")
GOOD, CRASHES = "registry.example/shop", "registry.example/behave-crash/shop"


@dataclass(frozen=True)
class Shop:
    """The deploy stack of one environment in one namespace.

    Attributes:
        cluster: where it runs.
        stack: the stack.
        settings: the platform's.
    """

    cluster: Cluster
    stack: StackHandle
    settings: KubernetesSettings

    @property
    def platform(self) -> KubernetesPlatform:
        """Where it runs, with the settings of now."""
        return KubernetesPlatform(self.settings)

    def spec(self, slot: str, *, repository: str = GOOD, digest: str = DIGEST, **different: Any) -> SlotSpec:  # noqa: ANN401
        """A release in a slot."""
        given: dict[str, Any] = {
            "environment": {"COLOUR": slot, "PASSWORD": "hunter2"},
            "secret_keys": ("PASSWORD",),
            "readiness": ReadinessSpec(timeout=60.0),
            "options": self.platform.slot_options(),
        }
        return SlotSpec("shop", slot, "shop:1.0", digest, f"{repository}@{digest}", **{**given, **different})

    def update(self, *kept: SlotSpec, new: SlotSpec | None = None) -> Mapping[str, int]:
        """Run the program of a deploy phase; answers what changed."""
        program = deploy.program(
            self.platform, service="shop", marker=MARKER, kept=kept, new=[new] if new is not None else ()
        )
        return self.stack.update(program, message="deploy", deadline=200.0).changes

    def checkpoint(self) -> Checkpoint:
        """The stack as it is."""
        found = going_back.read(self.stack)
        assert found is not None
        return found

    def slots(self) -> Mapping[str, Mapping[str, str]]:
        """What the stack says of its slots."""
        return deploy.recorded_slots(self.checkpoint())

    def restore(self, before: Checkpoint | None) -> None:
        """Go back to an earlier state of the stack."""
        going_back.restore(self.stack, before, marker=MARKER, message="rollback", deadline=200.0)

    def live(self, path: str) -> Any:  # noqa: ANN401
        """An object, `apps/v1/deployments/NAME` or `configmaps/NAME`, or a list without the name; None: not there."""
        parts = path.split("/")
        core = parts[0] in ("configmaps", "secrets", "services", "pods")
        prefix, rest = ("/api/v1", parts) if core else (f"/apis/{parts[0]}/{parts[1]}", parts[2:])
        try:
            return self.cluster.rest.get(f"{prefix}/namespaces/{self.settings.namespace}/{'/'.join(rest)}")
        except Refused as refused:
            if refused.status == 404:
                return None
            raise

    def wait_until_available(self, deployment: str, replicas: int) -> None:
        """Wait until so many pods of a Deployment can serve."""
        wait_until(
            lambda: self.live(f"apps/v1/deployments/{deployment}")["status"].get("availableReplicas", 0) == replicas
        )

    def pods(self, **labels: str) -> dict[str, Any]:
        """The pods with those labels, by their uid."""
        wanted = {key.replace("slot", "launch.dev/slot"): value for key, value in labels.items()}
        found = self.live("pods")["items"]
        return {
            pod["metadata"]["uid"]: pod for pod in found if wanted.items() <= pod["metadata"].get("labels", {}).items()
        }

    def configuration(self, slot: str) -> dict[str, str]:
        """What the pods of a slot take their variables from."""
        template = self.live(f"apps/v1/deployments/shop-{slot}")["spec"]["template"]
        found: dict[str, str] = {}
        for source in template["spec"]["containers"][0]["envFrom"]:
            if "configMapRef" in source:
                found.update(self.live(f"configmaps/{source['configMapRef']['name']}")["data"])
            else:
                data = self.live(f"secrets/{source['secretRef']['name']}")["data"]
                found.update({key: base64.b64decode(value).decode() for key, value in data.items()})
        return found
