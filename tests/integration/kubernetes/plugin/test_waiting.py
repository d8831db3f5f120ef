"""An update is done when its objects are ready, and where they do not get ready it says why."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from phases.errors import UpdateFailed, UpdateStopped
from stacks.engine import StackHandle
from tests.cluster.cluster import Cluster
from tests.cluster.objects import deployment, http_route, job
from tests.cluster.stages import ANNOTATION
from tests.integration.kubernetes.plugin.programs import ROUTE, Object, Program, path, resources

pytestmark = pytest.mark.integration

Live = Callable[[str], Any]
WaitFor = Callable[[Callable[[], object]], None]


def annotated(body: Object, **annotations: str) -> Object:
    body["metadata"]["annotations"] = {f"pulumi.com/{name}": value for name, value in annotations.items()}
    return body


def failure(caught: pytest.ExceptionInfo[UpdateFailed]) -> str:
    return f"{caught.value} {caught.value.failures}"


def test_a_crash_loop_fails_the_update_and_is_named_and_the_rest_is_applied(
    stack: StackHandle, program: Callable[..., Program], live: Live
) -> None:
    bad = annotated(deployment("web", behave="crash"), timeoutSeconds="3")
    with pytest.raises(UpdateFailed) as caught:
        stack.update(program(bad, http_route("shop", {"blue": 1})), message="bad")

    assert "timed out waiting to be Ready" in failure(caught)
    assert "CrashLoopBackOff" in failure(caught)
    assert live(ROUTE) is not None
    held = resources(stack)["web"]
    assert held["id"].endswith("/web")
    assert any("CrashLoopBackOff" in reason for reason in held["initErrors"])

    good = annotated(deployment("web"), timeoutSeconds="60")
    assert stack.update(program(good, http_route("shop", {"blue": 1})), message="good").changed
    assert "initErrors" not in resources(stack)["web"]


def test_a_new_version_that_cannot_be_pulled_fails_and_the_old_one_stays(
    stack: StackHandle, program: Callable[..., Program], live: Live
) -> None:
    stack.update(program(annotated(deployment("web"), timeoutSeconds="60")), message="good")
    bad = annotated(deployment("web", behave="image-pull"), timeoutSeconds="3")
    with pytest.raises(UpdateFailed) as caught:
        stack.update(program(bad), message="bad")
    assert "ImagePullBackOff" in failure(caught)
    assert live("apps/v1/deployments/web")["status"]["readyReplicas"] == 2


def test_a_job_that_fails_fails_the_update_at_once(stack: StackHandle, program: Callable[..., Program]) -> None:
    with pytest.raises(UpdateFailed) as caught:
        stack.update(program(job("migrate", behave="fail")), message="bad")
    assert "BackoffLimitExceeded" in failure(caught)
    assert resources(stack)["migrate"]["initErrors"]


def test_nobody_waits_who_does_not_want_to(stack: StackHandle, program: Callable[..., Program], live: Live) -> None:
    stack.update(program(annotated(deployment("web", behave="hang"), skipAwait="true")), message="go on")
    assert "readyReplicas" not in live("apps/v1/deployments/web")["status"]


def test_conditions_of_the_user_s_own_are_waited_for(
    stack: StackHandle, program: Callable[..., Program], live: Live
) -> None:
    half = annotated(
        deployment("web", behave="slow"), waitFor="jsonpath={.status.readyReplicas}=2", timeoutSeconds="60"
    )
    stack.update(program(half), message="one")
    assert live("apps/v1/deployments/web")["status"]["readyReplicas"] == 2

    never = annotated(job("migrate"), waitFor="condition=Never", timeoutSeconds="2")
    with pytest.raises(UpdateFailed, match="timed out waiting for the condition"):
        stack.update(program(half, never), message="two")


def test_a_cancelled_update_stops_waiting_and_keeps_what_it_made(
    stack: StackHandle, program: Callable[..., Program], live: Live, wait_for: WaitFor
) -> None:
    stop = threading.Event()

    def stop_when_it_is_there() -> None:
        wait_for(lambda: live("apps/v1/deployments/web"))
        stop.set()

    watcher = threading.Thread(target=stop_when_it_is_there)
    watcher.start()
    with pytest.raises((UpdateStopped, UpdateFailed)):
        stack.update(program(deployment("web", behave="hang")), message="x", stop=stop)
    watcher.join()

    assert any("cancelled" in reason for reason in resources(stack)["web"]["initErrors"])


def test_refresh_says_what_is_no_longer_ready(
    stack: StackHandle, program: Callable[..., Program], cluster: Cluster, namespace: str, wait_for: WaitFor, live: Live
) -> None:
    stack.update(program(deployment("web")), message="good")
    broken = {"spec": {"template": {"metadata": {"annotations": {ANNOTATION: "crash"}}}}}
    cluster.rest.patch(path(namespace, "apps/v1/deployments/web"), broken)
    wait_for(lambda: live("apps/v1/deployments/web")["status"].get("unavailableReplicas"))

    stack.refresh()

    assert resources(stack)["web"]["initErrors"]
