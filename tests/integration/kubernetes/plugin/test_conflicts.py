"""Two who want the same field: the update fails and says with whom, unless it is to win."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from phases.errors import UpdateFailed
from stacks.engine import StackHandle
from tests.cluster.cluster import Cluster
from tests.cluster.objects import http_route
from tests.cluster.rest import APPLY
from tests.integration.kubernetes.plugin.programs import ROUTE, Object, Program, config_map, path, resources

pytestmark = pytest.mark.integration

Live = Callable[[str], Any]


def pushy(body: Object) -> Object:
    body["metadata"]["annotations"] = {"pulumi.com/patchForce": "true"}
    return body


def weights(live: Live) -> list[int]:
    return [each["weight"] for each in live(ROUTE)["spec"]["rules"][0]["backendRefs"]]


@pytest.fixture
def contested(
    stack: StackHandle, program: Callable[..., Program], cluster: Cluster, namespace: str
) -> Callable[[str], None]:
    """Lets somebody else take over the weights of our route."""

    def contest(manager: str) -> None:
        stack.update(program(http_route("shop", {"blue": 100})), message="ours")
        theirs = http_route("shop", {"blue": 7})
        del theirs["spec"]["parentRefs"]
        cluster.rest.patch(f"{path(namespace, ROUTE)}?fieldManager={manager}&force=true", theirs, APPLY)

    return contest


def test_another_manager_s_weights_make_the_update_fail_and_the_preview_does_not_foresee_it(
    stack: StackHandle, program: Callable[..., Program], live: Live, contested: Callable[[str], None]
) -> None:
    contested("argo-rollouts")
    ours = program(http_route("shop", {"blue": 50}))
    assert stack.preview(ours).changes == {"same": 2, "update": 1}

    with pytest.raises(UpdateFailed) as caught:
        stack.update(ours, message="ours again")

    text = str(caught.value)
    assert "Apply failed with 1 conflict: conflict with" in text
    assert "argo-rollouts" in text
    assert ".spec.rules" in text
    assert weights(live) == [7]
    assert resources(stack)["shop"]["initErrors"]


def test_an_update_that_is_to_win_wins(
    stack: StackHandle, program: Callable[..., Program], live: Live, contested: Callable[[str], None]
) -> None:
    contested("argo-rollouts")
    update = stack.update(program(pushy(http_route("shop", {"blue": 50}))), message="ours")
    assert update.changes == {"same": 2, "update": 1}
    assert weights(live) == [50]
    assert "initErrors" not in resources(stack)["shop"]


def test_a_provider_that_is_to_win_wins_everywhere(
    stack: StackHandle, program: Callable[..., Program], live: Live, contested: Callable[[str], None]
) -> None:
    contested("argo-rollouts")
    stack.update(program(http_route("shop", {"blue": 50}), enable_patch_force=True), message="ours")
    assert weights(live) == [50]


def test_what_kubectl_did_is_taken_over_silently(
    stack: StackHandle, program: Callable[..., Program], live: Live, contested: Callable[[str], None]
) -> None:
    contested("kubectl")
    stack.update(program(http_route("shop", {"blue": 50})), message="ours")
    assert weights(live) == [50]


def test_an_object_that_somebody_made_is_not_created_over(
    stack: StackHandle, program: Callable[..., Program], live: Live, cluster: Cluster, namespace: str
) -> None:
    cluster.rest.post(path(namespace, "configmaps"), config_map(a="theirs"))
    with pytest.raises(UpdateFailed, match="already exists"):
        stack.update(program(config_map(a="ours")), message="ours")
    assert live("configmaps/settings")["data"] == {"a": "theirs"}


def test_an_object_that_is_there_is_taken_over_where_the_provider_upserts(
    stack: StackHandle, program: Callable[..., Program], live: Live, cluster: Cluster, namespace: str
) -> None:
    cluster.rest.post(path(namespace, "configmaps"), config_map(a="same", b="more"))
    update = stack.update(program(config_map(a="same"), upsert_existing_objects=True), message="ours")
    assert update.changes == {"create": 3}
    assert live("configmaps/settings")["data"] == {"a": "same", "b": "more"}
