"""What a program says is what the cluster has: created, changed, replaced, deleted, read."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from typing import Any

import pulumi
import pytest

from stacks.engine import StackHandle
from tests.cluster.cluster import Cluster
from tests.cluster.objects import deployment, http_route, job
from tests.integration.kubernetes.plugin.programs import ROUTE, Object, Program, config_map, path, register, resources

pytestmark = pytest.mark.integration

Live = Callable[[str], Any]
QUIET = {"pulumi.com/skipAwait": "true"}


def service(name: str = "web", port: int = 8080) -> Object:
    spec = {"selector": {"app": name}, "ports": [{"port": 80, "targetPort": port}]}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "annotations": QUIET}, "spec": spec}


def everything(weight: int = 1, replicas: int = 1, port: int = 8080) -> list[Object]:
    return [
        config_map(None, a="1"),
        deployment("web", replicas=replicas),
        service(port=port),
        job("migrate"),
        http_route("shop", {"blue": 100 - weight, "green": weight}),
    ]


def test_objects_of_every_kind_come_change_and_go(
    stack: StackHandle, program: Callable[..., Program], live: Live, namespace: str
) -> None:
    planned = stack.preview(program(*everything()))
    assert planned.changes == {"create": 7}
    assert live("apps/v1/deployments/web") is None

    assert stack.update(program(*everything()), message="first").changes == {"create": 7}
    assert live("apps/v1/deployments/web")["status"]["readyReplicas"] == 1
    assert live("batch/v1/jobs/migrate")["status"]["succeeded"] == 1
    assert live(ROUTE)["spec"]["rules"][0]["backendRefs"][1]["weight"] == 1
    held = resources(stack)
    assert held["web"]["id"] == f"{namespace}/web"
    assert re.fullmatch(f"{namespace}/configmap-[0-9a-f]{{8}}", held["configmap"]["id"])
    assert re.fullmatch("pulumi-kubernetes-[0-9a-f]{8}", held["shop"]["outputs"]["__fieldManager"])

    assert not stack.update(program(*everything()), message="the same").changed

    planned = stack.preview(program(*everything(weight=10, replicas=2, port=9090)))
    assert planned.changes == {"same": 4, "update": 3}
    assert live(ROUTE)["spec"]["rules"][0]["backendRefs"][1]["weight"] == 1

    changed = stack.update(program(*everything(weight=10, replicas=2, port=9090)), message="other numbers")
    assert changed.changes == {"same": 4, "update": 3}
    assert live(ROUTE)["spec"]["rules"][0]["backendRefs"][1]["weight"] == 10
    assert live("apps/v1/deployments/web")["status"]["readyReplicas"] == 2
    assert live("services/web")["spec"]["ports"][0]["targetPort"] == 9090
    assert not stack.update(program(*everything(weight=10, replicas=2, port=9090)), message="the same").changed

    stack.destroy(message="done")
    assert [live(what) for what in (ROUTE, "apps/v1/deployments/web", "services/web", "batch/v1/jobs/migrate")] == [
        None
    ] * 4
    assert live("pods")["items"] == []


def test_a_weight_is_changed_by_its_own_manager_and_only_the_weight(
    stack: StackHandle, program: Callable[..., Program], live: Live
) -> None:
    stack.update(program(http_route("shop", {"blue": 1})), message="one")
    assert [entry["manager"] for entry in live(ROUTE)["metadata"]["managedFields"]] == ["pulumi-kubernetes"]

    update = stack.update(program(http_route("shop", {"blue": 2})), message="two")

    assert update.changes == {"same": 2, "update": 1}
    ours = resources(stack)["shop"]["outputs"]["__fieldManager"]
    assert [entry["manager"] for entry in live(ROUTE)["metadata"]["managedFields"]] == [ours]


def test_a_preview_shows_another_port_where_the_object_was_applied_and_not_posted(
    stack: StackHandle, program: Callable[..., Program], live: Live
) -> None:
    def web(port: int) -> Program:
        body = service()
        body["spec"]["ports"][0]["port"] = port
        return program(body, upsert_existing_objects=True)

    stack.update(web(80), message="one")
    assert stack.preview(web(81)).changes == {"same": 2, "update": 1}
    assert stack.update(web(81), message="two").changes == {"same": 2, "update": 1}
    assert [port["port"] for port in live("services/web")["spec"]["ports"]] == [81]


def test_data_of_a_named_config_map_replaces_it_and_the_old_one_goes_first(
    stack: StackHandle, program: Callable[..., Program], live: Live
) -> None:
    stack.update(program(config_map(a="1")), message="one")
    before = live("configmaps/settings")["metadata"]["uid"]

    update = stack.update(program(config_map(a="2")), message="two")

    assert update.changes == {"same": 2, "replace": 1}
    after = live("configmaps/settings")
    assert after["data"] == {"a": "2"}
    assert after["metadata"]["uid"] != before


def test_data_of_a_nameless_config_map_replaces_it_and_the_new_one_comes_first(
    stack: StackHandle, program: Callable[..., Program], live: Live
) -> None:
    stack.update(program(config_map(None, a="1")), message="one")
    before = resources(stack)["configmap"]["id"].rpartition("/")[2]
    stack.update(program(config_map(None, a="2")), message="two")
    after = resources(stack)["configmap"]["id"].rpartition("/")[2]
    assert before != after
    assert live(f"configmaps/{before}") is None
    assert live(f"configmaps/{after}")["data"] == {"a": "2"}
    assert live(f"configmaps/{after}")["metadata"]["annotations"] == {"pulumi.com/autonamed": "true"}


def test_data_is_changed_in_place_where_the_provider_may(
    stack: StackHandle, program: Callable[..., Program], live: Live
) -> None:
    options = {"enable_config_map_mutable": True}
    stack.update(program(config_map(a="1", b="1"), **options), message="one")
    before = live("configmaps/settings")["metadata"]["uid"]
    assert stack.update(program(config_map(a="2"), **options), message="two").changes == {"same": 2, "update": 1}
    assert live("configmaps/settings")["metadata"]["uid"] == before
    assert live("configmaps/settings")["data"] == {"a": "2"}


def test_a_job_s_template_and_a_deployment_s_selector_replace_them(
    stack: StackHandle, program: Callable[..., Program], live: Live
) -> None:
    def objects(image: str, selector: str) -> list[Object]:
        work, web = job("migrate"), deployment("web")
        work["spec"]["template"]["spec"]["containers"][0]["image"] = image
        web["spec"]["selector"] = {"matchLabels": {"app": selector}}
        web["spec"]["template"]["metadata"]["labels"] = {"app": selector}
        return [work, web]

    stack.update(program(*objects("shop:1", "web")), message="one")
    planned = stack.preview(program(*objects("shop:2", "other")))
    assert planned.changes == {"same": 2, "replace": 2}

    update = stack.update(program(*objects("shop:2", "other")), message="two")

    assert update.changes == {"same": 2, "replace": 2}
    assert live("batch/v1/jobs/migrate")["spec"]["template"]["spec"]["containers"][0]["image"] == "shop:2"
    assert live("apps/v1/deployments/web")["spec"]["selector"] == {"matchLabels": {"app": "other"}}


def test_a_secret_s_data_is_recorded_encrypted_only(
    stack: StackHandle,
    program: Callable[..., Program],
    live: Live,
    root: Any,  # noqa: ANN401
) -> None:
    password = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "login"}, "stringData": {"key": "hush-hush"}}
    stack.update(program(password), message="one")

    encoded = base64.b64encode(b"hush-hush").decode()
    assert live("secrets/login")["data"] == {"key": encoded}
    everywhere = b"".join(file.read_bytes() for file in root.rglob("*") if file.is_file())
    assert b"hush-hush" not in everywhere
    assert encoded.encode() not in everywhere
    assert not stack.update(program(password), message="the same").changed


def test_what_was_changed_by_hand_is_seen_by_refresh_and_put_right(
    stack: StackHandle, program: Callable[..., Program], live: Live, cluster: Cluster, namespace: str
) -> None:
    body = http_route("shop", {"blue": 50, "green": 50})
    stack.update(program(body, config_map(a="1")), message="one")
    route = path(namespace, ROUTE)
    cluster.rest.patch(f"{route}?fieldManager=kubectl-edit", http_route("shop", {"blue": 1, "green": 99}))
    cluster.rest.delete(path(namespace, "configmaps/settings"))

    refreshed = stack.refresh()

    assert refreshed.changes == {"delete": 1, "same": 2, "update": 1}
    assert stack.update(program(body, config_map(a="1")), message="right").changes == {
        "create": 1,
        "same": 2,
        "update": 1,
    }
    weights = [each["weight"] for each in live(ROUTE)["spec"]["rules"][0]["backendRefs"]]
    assert weights == [50, 50]
    assert live("configmaps/settings")["data"] == {"a": "1"}


def test_an_object_that_exists_is_imported_as_it_is(
    stack: StackHandle, cluster: Cluster, namespace: str, live: Live
) -> None:
    cluster.rest.post(path(namespace, "configmaps"), config_map(a="1"))

    def program() -> None:
        import pulumi_kubernetes as k8s

        provider = k8s.Provider("kubernetes", kubeconfig=str(cluster.kubeconfig), namespace=namespace)
        opts = pulumi.ResourceOptions(provider=provider, import_=f"{namespace}/settings")
        body = config_map(a="1")
        body["metadata"]["namespace"] = namespace
        register(body, opts)

    before = live("configmaps/settings")["metadata"]["uid"]
    assert stack.update(program, message="adopt").changes == {"create": 2, "import": 1}
    assert live("configmaps/settings")["metadata"]["uid"] == before


def test_ignored_replicas_stay_as_the_autoscaler_has_them(
    stack: StackHandle, cluster: Cluster, namespace: str, live: Live
) -> None:
    def program(replicas: int, port: int) -> Program:
        def run() -> None:
            import pulumi_kubernetes as k8s

            provider = k8s.Provider("kubernetes", kubeconfig=str(cluster.kubeconfig), namespace=namespace)
            body = deployment("web", replicas=replicas)
            body["spec"]["template"]["spec"]["containers"][0]["ports"] = [{"containerPort": port}]
            register(body, pulumi.ResourceOptions(provider=provider, ignore_changes=["spec.replicas"]))

        return run

    stack.update(program(1, 8080), message="one")
    scaled = {"spec": {"replicas": 3}}
    cluster.rest.patch(f"{path(namespace, 'apps/v1/deployments/web')}?fieldManager=autoscaler", scaled)

    update = stack.update(program(2, 9090), message="two")

    assert update.changes == {"same": 2, "update": 1}
    found = live("apps/v1/deployments/web")["spec"]
    assert found["replicas"] == 3
    assert found["template"]["spec"]["containers"][0]["ports"][0]["containerPort"] == 9090


def test_a_patch_resource_has_some_fields_and_gives_them_up(
    stack: StackHandle, program: Callable[..., Program], live: Live, cluster: Cluster, namespace: str
) -> None:
    cluster.rest.post(path(namespace, "apps/v1/deployments"), deployment("web", replicas=1))
    patch = {
        "apiVersion": "apps/v1",
        "kind": "DeploymentPatch",
        "metadata": {"name": "web", "labels": {"launch.dev/slot": "blue"}},
    }
    stack.update(program(patch), message="label it")
    assert live("apps/v1/deployments/web")["metadata"]["labels"] == {"launch.dev/slot": "blue"}
    assert live("apps/v1/deployments/web")["spec"]["replicas"] == 1

    stack.destroy(message="done")

    assert live("apps/v1/deployments/web") is not None
    assert "labels" not in live("apps/v1/deployments/web")["metadata"]
