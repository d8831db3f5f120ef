"""`FeatureFlags`: the flags of a service, for flagd in a ConfigMap or for the OpenFeature Operator."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import pulumi
from pulumi_kubernetes.apiextensions import CustomResource
from pulumi_kubernetes.core.v1 import ConfigMap
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs

from components.kubernetes import names
from components.kubernetes.flag_source import API_VERSION, KIND, FlagReference
from components.kubernetes.provider import provider
from components.kubernetes.settings import KubernetesSettings
from components.platform import FlagsSpec, Placed
from components.provider.resources.flag_file import content


@dataclass(frozen=True, slots=True)
class FeatureFlagsArgs:
    """Flags and who reads them.

    Attributes:
        service: whose flags.
        namespace: where they are.
        flags: flag definitions by key, as https://flagd.dev/reference/flag-definitions/ has them.
        kind: `configmap`, with flagd's JSON under the key `flags.flagd.json`; or `operator`, the OpenFeature Operator's
            FeatureFlag (https://openfeature.dev/docs/reference/technologies/server/flagd/kubernetes).
        force: take fields back that another field manager has changed.
    """

    service: str
    namespace: str
    flags: Mapping[str, Mapping[str, Any]]
    kind: Literal["configmap", "operator"] = "configmap"
    force: bool = True


class FeatureFlags(pulumi.ComponentResource):
    """The flags of a service, changed in place: who has them mounted or watches them sees the new ones.

    Attributes:
        object: the ConfigMap or the FeatureFlag.
        path: tells `components.kubernetes.flag_source` which object has the flags.
        digest: SHA-256 of flagd's JSON.
    """

    object: pulumi.CustomResource
    path: pulumi.Output[str]
    digest: pulumi.Output[str]

    def __init__(self, name: str, args: FeatureFlagsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("launch:kubernetes:FeatureFlags", name, None, opts)
        reference = FlagReference(args.kind, args.namespace, names.flags_name(args.service))
        metadata = ObjectMetaArgs(
            name=reference.name,
            namespace=args.namespace,
            labels=names.of_service(args.service),
            annotations=names.PATCH_FORCE if args.force else {},
        )
        text = content(args.flags)
        within = pulumi.ResourceOptions(parent=self)
        if args.kind == "operator":
            spec = {"flagSpec": {"flags": json.loads(text)["flags"]}}
            self.object = CustomResource(reference.name, API_VERSION, KIND, spec, metadata, within)
        else:
            self.object = ConfigMap(reference.name, within, data={names.FLAGS_KEY: text.decode()}, metadata=metadata)
        digest = f"sha256:{hashlib.sha256(text).hexdigest()}"
        self.path = self.object.id.apply(lambda _: str(reference))
        self.digest = self.object.id.apply(lambda _: digest)
        self.register_outputs({"path": self.path, "digest": self.digest})


def place(settings: KubernetesSettings, spec: FlagsSpec) -> Placed:
    """Register the flags of a service; outputs `path` and `digest`."""
    made = FeatureFlags(
        spec.service,
        FeatureFlagsArgs(
            service=spec.service,
            namespace=settings.namespace,
            flags=spec.flags,
            kind=settings.flags,
            force=settings.force_conflicts,
        ),
        pulumi.ResourceOptions(providers=[provider(settings)]),
    )
    return Placed(made, {"path": made.path, "digest": made.digest})
