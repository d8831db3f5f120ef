"""The door to the API server for whatever is no resource: permissions, rollouts, logs, adoption."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from components.kubernetes.settings import KubernetesSettings
from components.platform import PlatformError

if TYPE_CHECKING:
    from kubernetes.client import ApiClient

_AT_HOME = "~/.kube/config"


class ClusterUnavailable(PlatformError):
    """The cluster cannot be found or does not answer.

    Attributes:
        reason: what was tried and what came of it, in one line.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def api(settings: KubernetesSettings) -> ApiClient:
    """Return a client of the settings' cluster; nothing is asked of the cluster yet.

    Every call through it gives up after `settings.request_timeout` seconds unless it says otherwise
    (`_request_timeout=`), and is not tried again: whoever waits tries again within a limit of their own.

    Raises:
        ClusterUnavailable: there is no such kubeconfig or context, and this is no pod either.
    """
    from kubernetes import client, config
    from kubernetes.config.config_exception import ConfigException

    configuration = client.Configuration()
    files = settings.kubeconfig or os.environ.get("KUBECONFIG") or _AT_HOME
    there = any(Path(file).expanduser().exists() for file in files.split(os.pathsep) if file)
    try:
        if there or settings.kubeconfig is not None or settings.context is not None:
            config.load_kube_config(  # type: ignore[no-untyped-call]
                config_file=files, context=settings.context, client_configuration=configuration, persist_config=False
            )
        else:
            config.load_incluster_config(client_configuration=configuration)  # type: ignore[no-untyped-call]
    except (ConfigException, OSError, ValueError) as error:
        context = f" with the context {settings.context!r}" if settings.context else ""
        raise ClusterUnavailable(
            f"no cluster can be reached by {files}{context}: {error}; name another with launch:kubernetes:"
            " {kubeconfig: FILE, context: NAME} or the variable KUBECONFIG"
        ) from error
    configuration.retries = False
    return _bounded(configuration, settings.request_timeout)


def _bounded(configuration: Any, seconds: float) -> ApiClient:  # noqa: ANN401
    from kubernetes.client import ApiClient

    class BoundedClient(ApiClient):
        """A client whose every call ends."""

        def call_api(
            self,
            method: Any,  # noqa: ANN401
            url: Any,  # noqa: ANN401
            header_params: Any = None,  # noqa: ANN401
            body: Any = None,  # noqa: ANN401
            post_params: Any = None,  # noqa: ANN401
            _request_timeout: Any = None,  # noqa: ANN401
        ) -> Any:  # noqa: ANN401
            limit = seconds if _request_timeout is None else _request_timeout
            return super().call_api(method, url, header_params, body, post_params, limit)

    return BoundedClient(configuration)
