"""The Jobs of one migration resource in the cluster: find, start, watch, stop, read, remove."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

from components.kubernetes.jobs import reading
from components.kubernetes.jobs.manifest import ASKS, MOVES, OWNER
from components.kubernetes.jobs.reading import Ended, Recorded, State

if TYPE_CHECKING:
    from kubernetes.client import ApiClient

T = TypeVar("T")

_LOOK_EVERY = 0.25
"""Seconds between two looks at a Job that is new; later ones are further apart."""
_LOOK_AT_MOST = 2.0
_NOT_FOUND, _CONFLICT, _SERVER_ERROR = 404, 409, 500


class ClusterRefused(Exception):
    """The API server said no, or nothing; `str()` says what was asked and what it answered.

    Attributes:
        unknown: it may have done what was asked of it all the same.
    """

    def __init__(self, message: str, *, unknown: bool = False) -> None:
        super().__init__(message)
        self.unknown = unknown


class Cluster:
    """One namespace's Jobs that belong to one owner.

    Args:
        client: of the API server.
        namespace: where the Jobs are.
        owner: the resource's mark; every Job carries it.

    Every method that asks the API server raises `ClusterRefused` where that refuses or does not answer.
    """

    def __init__(self, client: ApiClient, namespace: str, owner: str) -> None:
        from kubernetes.client import BatchV1Api, CoreV1Api

        self._batch: Any = BatchV1Api(client)
        self._core: Any = CoreV1Api(client)
        self.namespace = namespace
        self.owner = owner

    def newest(self) -> Recorded | None:
        """Return the latest move of the schema that the cluster remembers."""
        return max(self.moves(), key=lambda job: job.serial, default=None)

    def moves(self) -> list[Recorded]:
        """Return every move that the cluster remembers."""
        return [job for each in self._jobs(self._label) if (job := reading.recorded(each)) is not None]

    def _jobs(self, selector: str) -> list[Any]:
        found = self._ask("list Jobs", lambda: self._batch.list_namespaced_job(self.namespace, label_selector=selector))
        return list(found.items)

    @property
    def _label(self) -> str:
        return f"{OWNER}={self.owner}"

    def start(self, job: Mapping[str, Any]) -> None:
        """Create a Job; one of that name that is there already is the one that was meant."""
        from kubernetes.client.exceptions import ApiException

        def create() -> None:
            try:
                self._batch.create_namespaced_job(self.namespace, dict(job))
            except ApiException as error:
                if error.status != _CONFLICT:
                    raise

        self._ask(f"create the Job {job['metadata']['name']}", create)

    def wait(self, name: str, *, seconds: float, cancelled: threading.Event) -> Ended | None:
        """Return what became of a Job, or None once `cancelled` is set.

        An API server that does not answer for a while is asked again.

        Args:
            name: the Job's.
            seconds: how long to wait at most; the Job has a limit of its own.
            cancelled: ends the wait.
        """
        deadline, pause = time.monotonic() + seconds, _LOOK_EVERY
        trouble = ""
        while True:
            try:
                ended = self._look(name)
                trouble = ""
            except ClusterRefused as error:
                ended, trouble = None, f"; {error}"
            if ended is not None:
                return ended
            if cancelled.is_set():
                return None
            if time.monotonic() >= deadline:
                return self._overdue(name, f"it has not ended within {seconds:g} s{trouble}")
            cancelled.wait(pause)
            pause = min(pause * 1.3, _LOOK_AT_MOST)

    def _look(self, name: str) -> Ended | None:
        job = self._ask(f"read the Job {name}", lambda: self._read(name))
        if job is None:
            return Ended(complete=False, reason="somebody removed it while it ran")
        state, reason = reading.state_of(job)
        if state is State.COMPLETE:
            return Ended(complete=True)
        pods = self._pods(name)
        if state is State.FAILED:
            return Ended(complete=False, reason=reading.explained(reason, pods), began=any(map(reading.began, pods)))
        waiting = [why for pod in pods if (why := reading.waiting(pod)) in reading.HOPELESS]
        if waiting and not any(map(reading.began, pods)):
            return Ended(complete=False, reason=reading.explained(waiting[0], pods), began=False)
        return None

    def _overdue(self, name: str, reason: str) -> Ended:
        try:
            pods = self._pods(name)
        except ClusterRefused:
            return Ended(complete=False, reason=reason, running=True)
        began = any(map(reading.began, pods))
        return Ended(complete=False, reason=reading.explained(reason, pods), began=began, running=True)

    def tail(self, name: str, lines: int) -> str | None:
        """Return the last lines of what a Job's pod printed.

        Where logs cannot be read, it is what the pod's status has of them; None where that is nothing.
        """
        pods = sorted(self._pods(name), key=lambda pod: str(pod.metadata.creation_timestamp))
        if not pods:
            return None
        newest = pods[-1]
        container = next(each.name for each in newest.spec.containers if each.name in {MOVES, ASKS})
        with suppress(ClusterRefused):
            found = self._ask(
                "read the log",
                lambda: (
                    self._core.read_namespaced_pod_log(
                        newest.metadata.name,
                        self.namespace,
                        container=container,
                        tail_lines=lines,
                        _preload_content=False,
                    ).data
                ),
            )
            return "\n".join(found.decode(errors="replace").splitlines()[-lines:] if lines else [])
        messages = [state.message for state in reading.terminated(newest) if state.message]
        return "\n".join("\n".join(messages).splitlines()[-lines:]) if messages and lines else None

    def stop(self, name: str, *, seconds: float = 60.0, wait: bool = True) -> None:
        """Stop a Job and wait until none of its pods runs; the Job stays as a record.

        Raises:
            ClusterRefused: its pods are still there after that time.
        """
        self._ask(
            f"stop the Job {name}",
            lambda: self._batch.patch_namespaced_job(name, self.namespace, {"spec": {"suspend": True}}),
        )
        deadline = time.monotonic() + seconds
        while wait and any(pod.status.phase in {"Pending", "Running", "Unknown"} for pod in self._pods(name)):
            if time.monotonic() >= deadline:
                raise ClusterRefused(f"the pod of the Job {name} was told to end and still runs after {seconds:g} s")
            time.sleep(_LOOK_EVERY)

    def remove(self, name: str, *, seconds: float = 60.0, wait: bool = True) -> None:
        """Remove a Job with its pods, and wait until they are gone."""
        from kubernetes.client.exceptions import ApiException

        def delete() -> None:
            try:
                self._batch.delete_namespaced_job(
                    name, self.namespace, propagation_policy="Foreground" if wait else "Background"
                )
            except ApiException as error:
                if error.status != _NOT_FOUND:
                    raise

        self._ask(f"remove the Job {name}", delete)
        deadline = time.monotonic() + seconds
        while wait and self._ask(f"read the Job {name}", lambda: self._read(name)) is not None:
            if time.monotonic() >= deadline:
                raise ClusterRefused(f"the Job {name} is still there {seconds:g} s after it was removed")
            time.sleep(_LOOK_EVERY)

    def forget(self) -> None:
        """Remove every Job of this owner, and wait for none of them."""
        for job in self._jobs(self._label):
            self.remove(job.metadata.name, wait=False)

    def succeeded_by(self, service_label: str) -> bool:
        """Return whether a Job of the same service that belongs to another resource is newer than all of ours."""
        found = self._jobs(f"{service_label},{OWNER}")
        ours = [job.metadata.creation_timestamp for job in found if job.metadata.labels[OWNER] == self.owner]
        theirs = [job.metadata.creation_timestamp for job in found if job.metadata.labels[OWNER] != self.owner]
        return bool(theirs) and (not ours or max(theirs) > max(ours))

    def secret_values(self, names: Sequence[str]) -> list[str] | None:
        """Return what no log may show, or None where a Secret cannot be read."""
        values: list[str] = []
        for name in names:
            try:
                found = self._ask(
                    f"read the Secret {name}",
                    lambda name=name: self._core.read_namespaced_secret(name, self.namespace),  # type: ignore[misc]
                )
            except ClusterRefused:
                return None
            values.extend(base64.b64decode(value).decode(errors="replace") for value in (found.data or {}).values())
        return values

    def _read(self, name: str) -> Any:  # noqa: ANN401 - the client is untyped
        from kubernetes.client.exceptions import ApiException

        try:
            return self._batch.read_namespaced_job(name, self.namespace)
        except ApiException as error:
            if error.status == _NOT_FOUND:
                return None
            raise

    def _pods(self, name: str) -> list[Any]:
        selector = f"batch.kubernetes.io/job-name={name}"
        found = self._ask(
            f"list the pods of the Job {name}",
            lambda: self._core.list_namespaced_pod(self.namespace, label_selector=selector),
        )
        return list(found.items)

    def _ask(self, what: str, call: Callable[[], T]) -> T:
        from kubernetes.client.exceptions import ApiException
        from urllib3.exceptions import HTTPError

        try:
            return call()
        except ApiException as error:
            answer = _message(error)
            unknown = error.status is None or error.status >= _SERVER_ERROR
            raise ClusterRefused(f"cannot {what} in namespace {self.namespace}: {answer}", unknown=unknown) from error
        except (HTTPError, OSError) as error:
            message = f"cannot {what} in namespace {self.namespace}: the cluster does not answer"
            raise ClusterRefused(message, unknown=True) from error


def _message(error: Any) -> str:  # noqa: ANN401 - the client is untyped
    with suppress(ValueError, TypeError, KeyError):
        return f"{error.status} {json.loads(error.body)['message']}"
    return f"{error.status} {error.reason}"
