"""When a Job is ready: it is complete. It never will be once it has failed for good."""

from __future__ import annotations

from . import objects, pods
from .api import Api
from .errors import NotReady
from .values import Object

_FOR_GOOD = ("BackoffLimitExceeded", "DeadlineExceeded")


class JobReadiness:
    """Knows when a Job is ready.

    Args:
        api: where to look for its pods.
    """

    tick = 10.0
    timed_out = "'{name}' timed out waiting to be Ready"

    def __init__(self, api: Api) -> None:
        self._api = api

    def ready(self, live: Object) -> bool:
        """Whether it is complete."""
        failed = pods.condition(live, "Failed")
        if failed.get("status") == "True" and failed.get("reason") in _FOR_GOOD:
            name = objects.object_name(live)
            raise NotReady(f"Resource '{name}' was created but failed to initialize", live, self.explain(live))
        started = objects.at(live, "status", "startTime") is not None
        return started and pods.condition(live, "Complete").get("status") == "True"

    def progress(self, live: Object) -> list[tuple[str, str]]:
        """Return what it is doing."""
        name = objects.pod_name(live)
        if objects.at(live, "status", "startTime") is None:
            return [("info", f'Waiting for Job "{name}" to start')]
        counts = [int(objects.at(live, "status", which) or 0) for which in ("active", "succeeded", "failed")]
        text = "(Active: {} | Succeeded: {} | Failed: {})".format(*counts)
        return [("info", f'Waiting for Job "{name}" to succeed {text}')]

    def explain(self, live: Object) -> list[str]:
        """Say why it failed, and what is wrong with its pods."""
        failed = pods.condition(live, "Failed")
        reasons = []
        if failed.get("status") == "True" and failed.get("reason") in _FOR_GOOD:
            reasons.append(f"[{failed['reason']}] {failed.get('message', '')}")
        found = pods.owned(self._api, pods.POD, live)
        return reasons + [text for pod in found for text in pods.problems(pod)]

    def good_enough(self, live: Object) -> bool:
        """Whether it counts as ready when the time is up."""
        del live
        return False
