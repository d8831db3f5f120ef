"""The one explicit provider that all objects of a program go through.

One with a name of its own, rather than Pulumi's default one: an update that waits with its provider registered has the
plugin loaded and connected, and a replayed checkpoint finds it by that name.
"""

from __future__ import annotations

from weakref import WeakKeyDictionary

import pulumi
import pulumi_kubernetes

from components.kubernetes.settings import KubernetesSettings

NAME = "kubernetes"

_of_run: WeakKeyDictionary[pulumi.Resource, pulumi_kubernetes.Provider] = WeakKeyDictionary()


def provider(settings: KubernetesSettings) -> pulumi_kubernetes.Provider:
    """Return the provider of the running program, registered when first asked for."""
    root = pulumi.runtime.get_root_resource()
    if root is None:
        raise RuntimeError("a provider belongs to a running program")
    if (made := _of_run.get(root)) is None:
        made = _of_run[root] = pulumi_kubernetes.Provider(
            NAME,
            kubeconfig=settings.kubeconfig,
            context=settings.context,
            namespace=settings.namespace,
            # Otherwise a changed ConfigMap is deleted and made anew, and who mounts it sees none for a while.
            enable_config_map_mutable=True,
            # The plugin guesses from the kubeconfig whether it is another cluster, and would replace everything
            # because of a new certificate. Nothing is ever deleted for that: `launch down` comes before a move.
            cluster_identifier=NAME,
            # A launch that was killed may have made an object that no state knows of: its next try must find it.
            upsert_existing_objects=True,
        )
    return made
