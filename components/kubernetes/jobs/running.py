"""Waits for Jobs and reads what they printed."""

from __future__ import annotations

import secrets as random
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from components.kubernetes.jobs import manifest
from components.kubernetes.jobs.cluster import Cluster, ClusterRefused
from components.kubernetes.jobs.masking import masked
from components.kubernetes.jobs.order import reported
from components.kubernetes.jobs.reading import STOPPED

_ANSWER_LINES = 200


class Refused(Exception):
    """The schema was not touched; `str()` says why."""


class Stopped(Exception):
    """Somebody asked to stop before anything was changed."""


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a Job.

    Attributes:
        complete: it succeeded.
        reason: why not.
        log: its last lines, without secrets.
    """

    complete: bool
    reason: str
    log: str


class Run:
    """One operation's Jobs.

    Args:
        cluster: where they run.
        seconds: how long each may take.
        cancelled: ends every wait.
    """

    def __init__(self, cluster: Cluster, *, seconds: float, cancelled: threading.Event) -> None:
        self._cluster = cluster
        self._seconds = seconds
        self._cancelled = cancelled

    def finish(self, name: str, *, secrets: Sequence[str], lines: int) -> Result:
        """Wait for a Job and return what became of it.

        Raises:
            Refused: none of its containers ever ran; it has been removed.
        """
        ended = self._cluster.wait(name, seconds=self._seconds, cancelled=self._cancelled)
        if ended is None:
            reason = "the update was cancelled, and the Job was stopped; how far it came is not known"
            reason += self._stopped(name, wait=False)
            return Result(complete=False, reason=reason, log=self._log(name, secrets, lines))
        if not ended.began and not ended.complete:
            try:
                self._cluster.remove(name)
            except ClusterRefused as error:  # it may yet run
                return Result(complete=False, reason=f"{ended.reason}; {error}", log="")
            raise Refused(f"the Job {name} never ran and was removed, nothing was changed: {ended.reason}")
        log = self._log(name, secrets, lines)
        return Result(ended.complete, ended.reason + (self._stopped(name) if ended.running else ""), log)

    def _stopped(self, name: str, *, wait: bool = True) -> str:
        """Stop a Job; what it could not be stopped for is more to say, and changes nothing else."""
        try:
            self._cluster.stop(name, wait=wait)
        except ClusterRefused as error:
            return f"; {error}"
        return ""

    def ask(self, inputs: Mapping[str, Any]) -> str:
        """Return the revision that the `current` command prints.

        Raises:
            Refused: it could not be asked.
            Stopped: somebody asked to stop.
        """
        job = manifest.asker(inputs, self._cluster.owner, random.token_hex(4))
        name = job["metadata"]["name"]
        self._cluster.start(job)
        try:
            ended = self._cluster.wait(name, seconds=self._seconds, cancelled=self._cancelled)
            if ended is None:
                raise Stopped("the update was cancelled while the schema's revision was asked for")
            if not ended.complete:
                log = self._log(name, inputs.get("secrets") or (), int(inputs["logLines"])) if ended.began else ""
                shown = f"; its last lines:\n{log}" if log else ""
                raise Refused(f"where the schema is could not be asked, the Job {name} failed: {ended.reason}{shown}")
            text = self._cluster.tail(name, _ANSWER_LINES)
        finally:
            with suppress(ClusterRefused):
                self._cluster.remove(name, wait=False)
        if text is None:
            raise Refused(f"where the schema is could not be asked: the log of the Job {name} cannot be read")
        return reported(text, inputs.get("revisions") or ())

    def tidy(self, serial: int) -> None:
        """Remove the Jobs that were stopped before this move: nothing else would."""
        with suppress(ClusterRefused):
            for job in self._cluster.moves():
                if job.serial < serial and job.reason == STOPPED:
                    self._cluster.remove(job.name, wait=False)

    def _log(self, name: str, secrets: Sequence[str], lines: int) -> str:
        try:
            values = self._cluster.secret_values(secrets)
            if values is None:
                return (
                    f"(not shown, since its Secrets ({', '.join(secrets)}) cannot be read to take their values out "
                    f"of it: kubectl logs -n {self._cluster.namespace} job/{name})"
                )
            return masked(self._cluster.tail(name, lines) or "", values)
        except ClusterRefused as error:
            return f"({error})"
