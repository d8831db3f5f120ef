"""A slot: what is registered for it, and that two slots share nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from components.kubernetes.platform import KubernetesPlatform
from components.kubernetes.settings import AutoscalingSettings, KubernetesSettings, SlotSettings
from components.platform import SlotSpec
from components.platforms import platform

from .conftest import DIGEST, Registered, RunProgram

MakeSpec = Callable[..., SlotSpec]
SETTINGS = KubernetesSettings(context="prod", namespace="shops")


@pytest.fixture
def registered(run_program: RunProgram, make_spec: MakeSpec) -> Registered:
    return run_program(lambda: {"blue": KubernetesPlatform(SETTINGS).service(make_spec())})


def test_a_slot_is_a_deployment_and_a_service_with_all_that_belongs_to_it(registered: Registered) -> None:
    assert registered.kinds() == [
        "ConfigMap",
        "Deployment",
        "PodDisruptionBudget",
        "Secret",
        "Service",  # the component
        "Service",
        "Stack",
        "kubernetes",
    ]
    assert registered.outputs["blue"] == {
        "url": "http://shop-blue.shops.svc:80",
        "log": "kubectl -n shops logs deployment/shop-blue",
        "digest": DIGEST,
    }


def test_every_object_is_in_the_namespace_under_the_component_and_through_the_one_provider(
    registered: Registered,
) -> None:
    objects = [request for (token, _), request in registered.requests.items() if token.startswith("kubernetes:")]
    assert len(objects) == 5
    for request in objects:
        assert "launch:kubernetes:Service::shop-blue" in request.parent, request.type
        assert "pulumi:providers:kubernetes::kubernetes::" in request.provider, request.type
        metadata = request.object["metadata"]
        assert metadata["namespace"] == "shops"
        assert metadata["name"].startswith("shop-blue")
        assert metadata["annotations"]["pulumi.com/patchForce"] == "true"
        assert dict(metadata["labels"]) == {
            "app.kubernetes.io/name": "shop",
            "app.kubernetes.io/managed-by": "launch",
            "launch.dev/slot": "blue",
        }


def test_the_provider_is_told_the_cluster_and_finds_what_a_killed_launch_left(registered: Registered) -> None:
    assert registered.inputs("kubernetes", "kubernetes") == {
        "context": "prod",
        "namespace": "shops",
        "enableConfigMapMutable": "true",
        "clusterIdentifier": "kubernetes",  # or a new certificate would replace every object
        "upsertExistingObjects": "true",
    }


def test_pods_run_the_image_by_its_digest_and_nothing_more_than_they_need(registered: Registered) -> None:
    deployment = registered.inputs("Deployment", "shop-blue")["spec"]
    pod = deployment["template"]["spec"]
    (container,) = pod["containers"]
    assert container["image"] == f"registry.example/shop@{DIGEST}"
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "privileged": False,
        "readOnlyRootFilesystem": False,
        "capabilities": {"drop": ["ALL"]},
    }
    assert pod["securityContext"] == {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    assert pod["automountServiceAccountToken"] is False
    assert container["resources"] == {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "512Mi"}}
    assert [one["topologyKey"] for one in pod["topologySpreadConstraints"]] == [
        "kubernetes.io/hostname",
        "topology.kubernetes.io/zone",
    ]


def test_a_rollout_takes_no_pod_away_and_has_the_readiness_timeout(registered: Registered) -> None:
    found = registered.inputs("Deployment", "shop-blue")
    assert found["spec"]["strategy"]["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": "25%"}
    assert found["spec"]["progressDeadlineSeconds"] == 90
    assert found["metadata"]["annotations"]["pulumi.com/timeoutSeconds"] == "90"
    assert found["spec"]["replicas"] == 2


def test_the_service_leads_to_the_pods_of_its_slot_alone_and_nobody_waits_for_it(registered: Registered) -> None:
    found = registered.inputs("Service", "shop-blue")
    assert found["spec"]["selector"] == {"app.kubernetes.io/name": "shop", "launch.dev/slot": "blue"}
    assert found["spec"]["ports"] == [{"name": "http", "port": 80, "targetPort": "http", "protocol": "TCP"}]
    assert found["metadata"]["annotations"]["pulumi.com/skipAwait"] == "true"


def test_configuration_belongs_to_the_release_and_secrets_are_secret(registered: Registered) -> None:
    (config,), (secret,) = registered.names("ConfigMap"), registered.names("Secret")
    assert registered.inputs("ConfigMap", config)["data"] == {"COLOUR": "blue"}
    assert registered.inputs("ConfigMap", config)["immutable"] is True
    (container,) = registered.inputs("Deployment", "shop-blue")["spec"]["template"]["spec"]["containers"]
    assert container["envFrom"] == [{"configMapRef": {"name": config}}, {"secretRef": {"name": secret}}]
    encoded = "cG9zdGdyZXNxbDovL3U6aHVudGVyMkBkYi9zaG9w"
    value = registered.inputs("Secret", secret)["data"]
    assert encoded in json.dumps(value)
    assert "1b47061264138c4ac30d75fd1eb44270" in json.dumps(value)  # how the SDK marks a secret value
    for (_, name), request in registered.requests.items():
        text = str(request)
        assert "hunter2" not in text, name
        assert (encoded in text) == (request.type == "kubernetes:core/v1:Secret"), name


def test_a_second_slot_shares_no_object_with_the_first_but_the_provider(
    run_program: RunProgram, make_spec: MakeSpec
) -> None:
    kubernetes = KubernetesPlatform(SETTINGS)
    registered = run_program(
        lambda: {"blue": kubernetes.service(make_spec()), "green": kubernetes.service(make_spec(slot="green"))}
    )
    assert registered.names("Deployment") == ["shop-blue", "shop-green"]
    for kind in ("ConfigMap", "Secret", "PodDisruptionBudget", "Deployment"):
        assert len(registered.names(kind)) == 2, kind
    assert registered.names("kubernetes") == ["kubernetes"]


def test_with_an_autoscaler_the_number_of_pods_is_not_ours(run_program: RunProgram, make_spec: MakeSpec) -> None:
    options = SlotSettings(autoscaling=AutoscalingSettings(3, 9, cpu=60, memory=80)).to_options()
    registered = run_program(lambda: {"blue": KubernetesPlatform(SETTINGS).service(make_spec(options=options))})
    assert "replicas" not in registered.inputs("Deployment", "shop-blue")["spec"]
    found = registered.inputs("HorizontalPodAutoscaler", "shop-blue")["spec"]
    assert found["scaleTargetRef"] == {"apiVersion": "apps/v1", "kind": "Deployment", "name": "shop-blue"}
    assert (found["minReplicas"], found["maxReplicas"]) == (3, 9)
    assert [metric["resource"]["name"] for metric in found["metrics"]] == ["cpu", "memory"]


def test_a_slot_of_one_pod_has_no_disruption_budget_since_its_node_could_never_be_drained(
    run_program: RunProgram, make_spec: MakeSpec
) -> None:
    options = SlotSettings(replicas=1).to_options()
    registered = run_program(lambda: {"blue": KubernetesPlatform(SETTINGS).service(make_spec(options=options))})
    assert "PodDisruptionBudget" not in registered.kinds()


def test_a_kept_slot_is_described_by_its_record_whatever_the_settings_say_by_now(
    run_program: RunProgram, make_spec: MakeSpec
) -> None:
    before, now = KubernetesPlatform(SETTINGS), KubernetesPlatform(replace(SETTINGS, slot=SlotSettings(replicas=9)))
    recorded = SlotSpec.from_json(make_spec(options=before.slot_options()).to_json())

    def described(by: KubernetesPlatform, spec: SlotSpec) -> dict[str, Any]:
        found = run_program(lambda: {"blue": by.service(spec)})
        return {f"{kind}/{name}": str(request.object) for (kind, name), request in found.requests.items()}

    assert described(now, recorded) == described(before, make_spec())


def test_a_slot_without_variables_has_no_configuration(run_program: RunProgram, make_spec: MakeSpec) -> None:
    registered = run_program(lambda: {"blue": KubernetesPlatform(SETTINGS).service(make_spec(environment={}))})
    assert not {"ConfigMap", "Secret"} & set(registered.kinds())
    (container,) = registered.inputs("Deployment", "shop-blue")["spec"]["template"]["spec"]["containers"]
    assert "envFrom" not in container


def test_an_image_without_its_digest_is_refused(run_program: RunProgram, make_spec: MakeSpec) -> None:
    spec = make_spec(artifact="registry.example/shop:1.0")
    with pytest.raises(ValueError, match="by its digest"):
        run_program(lambda: {"blue": KubernetesPlatform(SETTINGS).service(spec)})


def test_the_service_finds_its_flags_where_the_pods_mount_them(registered: Registered, make_spec: MakeSpec) -> None:
    del make_spec
    file = KubernetesPlatform(SETTINGS).environment("shop")["FLAGD_FILE"]
    pod = registered.inputs("Deployment", "shop-blue")["spec"]["template"]["spec"]
    assert pod["volumes"] == [{"name": "flags", "configMap": {"name": "shop-flags", "optional": True}}]
    (mount,) = pod["containers"][0]["volumeMounts"]
    assert file == f"{mount['mountPath']}/flags.flagd.json"


def test_with_the_operator_nothing_is_mounted() -> None:
    kubernetes = KubernetesPlatform(replace(SETTINGS, flags="operator"))
    assert kubernetes.environment("shop") == {}
    assert kubernetes.slot_options()["flags_mount"] is None


def test_the_platform_is_found_by_its_name(tmp_path: Path) -> None:
    assert isinstance(platform("kubernetes", tmp_path, SETTINGS), KubernetesPlatform)
