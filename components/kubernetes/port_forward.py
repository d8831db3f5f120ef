"""Reaching a slot from outside the cluster: a port on this machine that leads to its ready pods.

Each connection is a forward of its own to a pod that is ready at that moment, so that a pod may go without anybody
having to begin anew.
"""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from components.kubernetes.port_stream import ForwardFailed, connect, pump
from components.kubernetes.settings import KubernetesSettings

if TYPE_CHECKING:
    from kubernetes.client import ApiClient

logger = logging.getLogger(__name__)

_AT_ONCE = 32
"""Connections under way at the same time; more wait."""


class PortForwards:
    """Makes addresses of Services in the cluster reachable from here.

    Args:
        client: a client of the cluster, see `client.api`.
        settings: the cluster; its `slot_urls` go before a forward.
        service: whose slots they are.
        inside: whether this runs in the cluster itself, where its addresses answer.
    """

    def __init__(self, client: ApiClient, settings: KubernetesSettings, service: str, *, inside: bool = False) -> None:
        self._client, self._settings, self._inside = client, settings, inside
        self._given = {f"{service}-{slot}": url for slot, url in settings.slot_urls.items()}
        self._lock = threading.Lock()
        self._forwards: dict[str, _Forward] = {}

    @contextmanager
    def __call__(self, url: str) -> Iterator[str]:
        """Yield a URL that answers from here for one that answers in the cluster, `http://SERVICE.NAMESPACE.svc:PORT`.

        Nothing is asked of the cluster yet. The port stays until `close`, so that the next caller finds it open.
        """
        yield self.url(url)

    def url(self, url: str) -> str:
        """Return a URL that answers from here until `close`."""
        parts = urlsplit(url)
        name, _, rest = (parts.hostname or "").partition(".")
        if given := self._given.get(name):
            return given
        if self._inside or not rest.partition(".")[2].startswith("svc"):
            return url
        with self._lock:
            key = parts.netloc
            if key not in self._forwards:
                namespace = rest.partition(".")[0]
                self._forwards[key] = _Forward(self._client, namespace, name, parts.port or 80, self._settings)
            port = self._forwards[key].port
        return f"{parts.scheme}://127.0.0.1:{port}{parts.path}"

    def reason(self, url: str) -> str | None:
        """Return why the last connection to a URL in the cluster failed; None where it did not."""
        with self._lock:
            forward = self._forwards.get(urlsplit(url).netloc)
        return forward.reason if forward is not None else None

    def close(self) -> None:
        """Close every port."""
        with self._lock:
            forwards, self._forwards = list(self._forwards.values()), {}
        for forward in forwards:
            forward.close()


class _Forward:
    """A port of this machine that leads to the pods of one Service."""

    def __init__(
        self, client: ApiClient, namespace: str, service: str, port: int, settings: KubernetesSettings
    ) -> None:
        self._client, self._timeout = client, settings.request_timeout
        self._namespace, self._service, self._wanted = namespace, service, port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._slots = threading.Semaphore(_AT_ONCE)
        self._next = 0
        self.port: int = self._listener.getsockname()[1]
        self.reason: str | None = None
        threading.Thread(target=self._listen, name=f"launch-forward-{service}", daemon=True).start()

    def close(self) -> None:
        # Closing alone does not wake a thread that is waiting for a connection.
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _listen(self) -> None:
        while True:
            try:
                local, _ = self._listener.accept()
            except OSError:
                return
            self._slots.acquire()
            threading.Thread(target=self._serve, args=(local,), name="launch-forwarded", daemon=True).start()

    def _serve(self, local: socket.socket) -> None:
        from websocket import WebSocketException

        try:
            with local:
                pod, port = self._pod()
                stream = connect(self._client, self._namespace, pod, port, timeout=self._timeout)
                try:
                    self.reason = pump(stream, local)
                finally:
                    stream.close(timeout=0)
        except (ForwardFailed, OSError, WebSocketException) as error:
            self.reason = str(error)
        except Exception as error:  # noqa: BLE001 - one broken connection must not take the others with it
            self.reason = f"{type(error).__name__}: {error}"
        finally:
            self._slots.release()
        if self.reason is not None:
            logger.info("forward to %s in %s: %s", self._service, self._namespace, self.reason)

    def _pod(self) -> tuple[str, int]:
        """Return a ready pod of the Service, one after the other, and its port."""
        from kubernetes.client import ApiException, CoreV1Api
        from urllib3.exceptions import HTTPError

        core: Any = CoreV1Api(self._client)
        plain: Any = self._client.sanitize_for_serialization
        try:
            service = plain(core.read_namespaced_service(self._service, self._namespace))
            selector = ",".join(f"{key}={value}" for key, value in (service["spec"].get("selector") or {}).items())
            if not selector:
                raise ForwardFailed(f"the Service {self._service} selects no pods, so none can be forwarded to")
            found = core.list_namespaced_pod(self._namespace, label_selector=selector).items
        except ApiException as error:
            raise ForwardFailed(f"the Service {self._service} cannot be read: {error.status} {error.reason}") from error
        except HTTPError as error:
            raise ForwardFailed(f"the cluster does not answer: {error}") from error
        ready = [pod for pod in map(plain, found) if _ready(pod)]
        if not ready:
            raise ForwardFailed(f"no pod of the Service {self._service} is ready")
        self._next += 1
        pod = ready[self._next % len(ready)]
        return pod["metadata"]["name"], target_port(service, pod, self._wanted)


def target_port(service: Mapping[str, Any], pod: Mapping[str, Any], port: int) -> int:
    """Return the port of a pod that a port of its Service leads to.

    Raises:
        ForwardFailed: it leads to none.
    """
    entry = next((each for each in service["spec"].get("ports") or () if each["port"] == port), None)
    if entry is None:
        raise ForwardFailed(f"the Service {service['metadata']['name']} has no port {port}")
    target = entry.get("targetPort", port)
    if isinstance(target, int):
        return target
    for container in pod["spec"]["containers"]:
        for exposed in container.get("ports") or ():
            if exposed.get("name") == target:
                return int(exposed["containerPort"])
    raise ForwardFailed(f"no container of pod {pod['metadata']['name']} names its port {target!r}")


def _ready(pod: Mapping[str, Any]) -> bool:
    conditions = pod.get("status", {}).get("conditions") or ()
    ready = any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)
    return ready and "deletionTimestamp" not in pod["metadata"]
