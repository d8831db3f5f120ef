"""Pods, probes and what surrounds them, as settings make them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from components.kubernetes import objects
from components.kubernetes.probes import probes
from components.kubernetes.release_config import release_config
from components.kubernetes.settings import (
    AutoscalingSettings,
    ResourceSettings,
    SecuritySettings,
    SlotSettings,
    SpreadSettings,
)
from components.platform import ReadinessSpec, SlotSpec

MakeSpec = Callable[..., SlotSpec]


def pod(spec: SlotSpec, slot: SlotSettings) -> Mapping[str, Any]:
    found: Mapping[str, Any] = objects.deployment(spec, slot, release_config(spec.name, {}, {}))["template"]
    return found


def test_a_process_has_the_readiness_timeout_to_answer_for_the_first_time() -> None:
    found = probes(ReadinessSpec("/ready", timeout=90.0, interval=0.5), port="http", liveness=None)
    assert found["startupProbe"] == {
        "httpGet": {"path": "/ready", "port": "http"},
        "periodSeconds": 1,
        "failureThreshold": 90,
    }
    assert found["readinessProbe"]["httpGet"] == {"path": "/ready", "port": "http"}


def test_a_database_that_is_away_has_no_pod_restarted() -> None:
    found = probes(ReadinessSpec("/ready"), port="http", liveness=None)
    assert found["livenessProbe"]["tcpSocket"] == {"port": "http"}
    asked = probes(ReadinessSpec("/ready"), port="http", liveness="/alive")
    assert asked["livenessProbe"]["httpGet"] == {"path": "/alive", "port": "http"}


def test_a_long_interval_still_gives_the_whole_timeout() -> None:
    found = probes(ReadinessSpec(timeout=31.0, interval=2.5), port="http", liveness=None)
    assert found["startupProbe"]["periodSeconds"] * found["startupProbe"]["failureThreshold"] >= 31


def test_without_readiness_a_pod_counts_as_ready_when_it_runs() -> None:
    assert set(probes(None, port="http", liveness=None)) == {"livenessProbe"}


@pytest.mark.parametrize("status", [199, 400, 404, 503])
def test_a_status_that_no_kubelet_takes_for_ready_is_refused(status: int) -> None:
    with pytest.raises(ValueError, match=f"readiness.status is {status}"):
        probes(ReadinessSpec(status=status), port="http", liveness=None)


def test_a_read_only_root_leaves_room_for_temporary_files(make_spec: MakeSpec) -> None:
    slot = SlotSettings(security=SecuritySettings(read_only=True), flags_mount=None)
    found = pod(make_spec(), slot)["spec"]
    assert found["containers"][0]["securityContext"]["readOnlyRootFilesystem"] is True
    assert found["containers"][0]["volumeMounts"] == [{"name": "tmp", "mountPath": "/tmp"}]
    assert found["volumes"] == [{"name": "tmp", "emptyDir": {}}]


def test_the_command_and_the_process_are_told_the_port(make_spec: MakeSpec) -> None:
    found = pod(make_spec(command=("serve", "--port", "${PORT}")), SlotSettings(port=9000))["spec"]["containers"][0]
    assert found["command"] == ["serve", "--port", "9000"]
    assert found["env"] == [{"name": "PORT", "value": "9000"}]
    assert found["ports"][0]["containerPort"] == 9000


def test_a_port_variable_of_the_service_is_left_alone(make_spec: MakeSpec) -> None:
    spec = make_spec(environment={"PORT": "1"}, secret_keys=())
    assert "env" not in pod(spec, SlotSettings())["spec"]["containers"][0]


def test_a_pod_serves_on_until_routers_have_forgotten_it(make_spec: MakeSpec) -> None:
    found = pod(make_spec(), SlotSettings(drain=7))["spec"]["containers"][0]
    assert found["lifecycle"] == {"preStop": {"sleep": {"seconds": 7}}}
    assert "lifecycle" not in pod(make_spec(), SlotSettings(drain=0))["spec"]["containers"][0]


def test_no_label_of_a_user_can_lead_pods_of_one_slot_to_another(make_spec: MakeSpec) -> None:
    slot = SlotSettings(labels={"team": "shop", "launch.dev/slot": "green", "app.kubernetes.io/name": "other"})
    assert pod(make_spec(), slot)["metadata"]["labels"] == {
        "team": "shop",
        "app.kubernetes.io/name": "shop",
        "app.kubernetes.io/managed-by": "launch",
        "launch.dev/slot": "blue",
    }


def test_spreading_may_be_a_wish_or_a_condition(make_spec: MakeSpec) -> None:
    slot = SlotSettings(spread=(SpreadSettings("zone", required=True), SpreadSettings("host", max_skew=2)))
    first, second = pod(make_spec(), slot)["spec"]["topologySpreadConstraints"]
    assert (first["whenUnsatisfiable"], second["whenUnsatisfiable"]) == ("DoNotSchedule", "ScheduleAnyway")
    assert second["maxSkew"] == 2
    assert first["labelSelector"] == {"matchLabels": {"app.kubernetes.io/name": "shop", "launch.dev/slot": "blue"}}


def test_what_is_not_set_is_not_said(make_spec: MakeSpec) -> None:
    bare = SlotSettings(spread=(), resources=ResourceSettings({}, {}), flags_mount=None)
    found = pod(make_spec(), bare)["spec"]
    assert set(found) == {
        "containers",
        "securityContext",
        "automountServiceAccountToken",
        "terminationGracePeriodSeconds",
    }
    assert "resources" not in found["containers"][0]


def test_an_autoscaled_slot_is_protected_by_its_fewest_pods(make_spec: MakeSpec) -> None:
    one = SlotSettings(replicas=5, autoscaling=AutoscalingSettings(minimum=1))
    assert objects.disruption_budget(make_spec(), one) is None
    two = SlotSettings(replicas=1, autoscaling=AutoscalingSettings(minimum=2))
    assert (objects.disruption_budget(make_spec(), two) or {})["minAvailable"] == "50%"
    assert objects.disruption_budget(make_spec(), replace(two, min_available=None)) is None


def test_a_slot_without_readiness_has_ten_minutes(make_spec: MakeSpec) -> None:
    assert objects.waiting(make_spec(readiness=None)) == 600
    assert objects.waiting(make_spec(readiness=ReadinessSpec(timeout=0.2))) == 1


def test_recorded_options_come_back_as_they_were() -> None:
    slot = SlotSettings(
        autoscaling=AutoscalingSettings(1, 2, cpu=None, memory=50),
        spread=(),
        security=SecuritySettings(user=10, add=("NET_BIND_SERVICE",)),
        tolerations=({"key": "spot", "operator": "Exists"},),
        image_pull_secrets=("pull",),
    )
    assert SlotSettings.from_options(slot.to_options()) == slot
    assert SlotSettings.from_options({}) == SlotSettings()
