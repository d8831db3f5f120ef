"""The configuration of a provider: what the program, the stack and the environment say."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from .errors import Failed

_PREFIX = "kubernetes:config:"


@dataclass(frozen=True)
class Options:
    """How a provider behaves.

    Attributes:
        kubeconfig: a path, or the contents; empty for what the environment has.
        context: of the kubeconfig.
        cluster: of the kubeconfig, instead of the context's.
        namespace: of objects that name none, instead of the context's.
        upsert: whether creating takes over an object that is there.
        force: whether fields are taken from other managers without asking.
        config_map_mutable: whether the data of ConfigMaps is changed in place.
        secret_mutable: the same of Secrets.
        delete_unreachable: whether what an unreachable cluster had is forgotten.
        skip_unreachable: whether what an unreachable cluster has is left as recorded.
    """

    kubeconfig: str = ""
    context: str = ""
    cluster: str = ""
    namespace: str = ""
    upsert: bool = False
    force: bool = False
    config_map_mutable: bool = False
    secret_mutable: bool = False
    delete_unreachable: bool = False
    skip_unreachable: bool = False

    @classmethod
    def read(cls, variables: Mapping[str, str], environ: Mapping[str, str] = os.environ) -> Options:
        """Return the options of a call to Configure.

        Raises:
            Failed: something is asked that the stand-in does not do.
        """

        def flag(name: str, variable: str, *, default: bool = False) -> bool:
            told = variables.get(_PREFIX + name, environ.get(variable))
            return default if told is None else told == "true"

        if not flag("enableServerSideApply", "PULUMI_K8S_ENABLE_SERVER_SIDE_APPLY", default=True):
            raise Failed("the stand-in plugin for Kubernetes knows server-side apply only")
        if variables.get(f"{_PREFIX}renderYamlToDirectory"):
            raise Failed("the stand-in plugin for Kubernetes does not render YAML")
        return cls(
            kubeconfig=variables.get(f"{_PREFIX}kubeconfig", ""),
            context=variables.get(f"{_PREFIX}context", ""),
            cluster=variables.get(f"{_PREFIX}cluster", ""),
            namespace=variables.get(f"{_PREFIX}namespace", ""),
            upsert=flag("upsertExistingObjects", "PULUMI_K8S_UPSERT_EXISTING_OBJECTS"),
            force=flag("enablePatchForce", "PULUMI_K8S_ENABLE_PATCH_FORCE"),
            config_map_mutable=flag("enableConfigMapMutable", "PULUMI_K8S_ENABLE_CONFIGMAP_MUTABLE"),
            secret_mutable=flag("enableSecretMutable", "PULUMI_K8S_ENABLE_SECRET_MUTABLE"),
            delete_unreachable=flag("deleteUnreachable", "PULUMI_K8S_DELETE_UNREACHABLE"),
            skip_unreachable=flag("skipUpdateUnreachable", "PULUMI_K8S_SKIP_UPDATE_UNREACHABLE"),
        )
