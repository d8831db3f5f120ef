"""What a migration Job is made of."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest

from components.kubernetes.jobs import manifest
from components.kubernetes.jobs.manifest import BadCommand, Move
from components.kubernetes.jobs.masking import masked

INPUTS: dict[str, Any] = {
    "service": "shop",
    "image": "shop:2.0",
    "up": ["migrate", "${DIRECTION}", "--from=${PREVIOUS}", "--to=${REVISION}"],
    "down": ["migrate", "back", "${REVISION}"],
    "current": ["migrate", "where"],
    "secrets": ["shop-schema"],
    "environment": {"LEVEL": "info"},
    "timeoutSeconds": 90.4,
    "retries": 0,
    "keepSeconds": 60,
    "annotations": {"sidecar.istio.io/inject": "false"},
    "podSecurity": {"runAsNonRoot": True},
    "containerSecurity": {"allowPrivilegeEscalation": False},
}
UP = Move("abc", 3, "0001", "0002", "up", "base")


def container(job: dict[str, Any]) -> dict[str, Any]:
    (found,) = job["spec"]["template"]["spec"]["containers"]
    return dict(found)


def test_a_job_runs_once_within_its_time_and_is_removed_later() -> None:
    job = manifest.mover(INPUTS, UP, does=INPUTS)
    spec, pod = job["spec"], job["spec"]["template"]["spec"]
    assert (spec["backoffLimit"], spec["activeDeadlineSeconds"], spec["ttlSecondsAfterFinished"]) == (0, 120, 60)
    assert pod["restartPolicy"] == "Never"
    assert pod["securityContext"] == {"runAsNonRoot": True}
    assert pod["automountServiceAccountToken"] is False
    assert spec["template"]["metadata"]["annotations"] == {"sidecar.istio.io/inject": "false"}
    assert container(job)["command"] == ["migrate", "up", "--from=0001", "--to=0002"]
    assert container(job)["envFrom"] == [{"secretRef": {"name": "shop-schema"}}]
    assert {each["name"]: each["value"] for each in container(job)["env"]} == {
        "LEVEL": "info",
        "REVISION": "0002",
        "DIRECTION": "up",
        "PREVIOUS": "0001",
    }


def test_its_name_is_that_of_the_same_move_and_of_no_other() -> None:
    name = manifest.name_of(INPUTS, UP)
    assert name == manifest.name_of({**INPUTS, "down": ["other"], "logLines": 9}, UP)
    others = [
        manifest.name_of({**INPUTS, "image": "shop:2.1"}, UP),
        manifest.name_of({**INPUTS, "up": ["migrate"]}, UP),
        manifest.name_of({**INPUTS, "secrets": []}, UP),
        manifest.name_of(INPUTS, dataclasses.replace(UP, serial=4)),
        manifest.name_of(INPUTS, dataclasses.replace(UP, owner="def")),
        manifest.name_of(INPUTS, dataclasses.replace(UP, target="0003")),
    ]
    assert len({name, *others}) == len(others) + 1


def test_the_longest_service_still_has_a_job_name() -> None:
    name = manifest.name_of({**INPUTS, "service": "s" * 63}, UP)
    assert len(name) == 63
    assert name.endswith(manifest.content(INPUTS, UP))
    cut = manifest.name_of({**INPUTS, "service": "a" * 28 + "-" * 30}, UP)
    assert "--" not in cut


def test_what_it_records_is_enough_for_the_way_back() -> None:
    job = manifest.mover({**INPUTS, "image": "shop:1.0"}, dataclasses.replace(UP, direction="down"), does=INPUTS)
    record = json.loads(job["metadata"]["annotations"][manifest.RECORD])
    assert (record["serial"], record["since"], record["target"], record["initial"]) == (3, "0001", "0002", "base")
    assert record["inputs"]["image"] == container(job)["image"] == "shop:2.0"
    assert record["inputs"]["down"] == INPUTS["down"]
    assert "timeoutSeconds" not in record["inputs"]


def test_asking_is_a_job_of_its_own_that_no_move_is_taken_for() -> None:
    job = manifest.asker({**INPUTS, "serviceAccount": "migrator"}, "abc", "12ab")
    assert job["metadata"]["name"] == "shop-schema-current-12ab"
    assert "annotations" not in job["metadata"]
    assert container(job)["name"] != container(manifest.mover(INPUTS, UP, does=INPUTS))["name"]
    pod = job["spec"]["template"]["spec"]
    assert pod["serviceAccountName"] == "migrator"
    assert "automountServiceAccountToken" not in pod  # as the ServiceAccount has it


def test_an_unknown_variable_is_named() -> None:
    with pytest.raises(BadCommand, match=r"\$\{VERSION\} in the command 'up \$\{VERSION\}' is unknown"):
        manifest.filled(["up", "${VERSION}"], revision="1", direction="up", previous="")
    kept = manifest.filled(["sh", "-c", "echo $HOME ${REVISION}"], revision="1", direction="up", previous="")
    assert kept == ["sh", "-c", "echo $HOME 1"]


def test_no_spelling_of_a_secret_is_left_in_a_log() -> None:
    secrets = ['p@ss"word', "postgresql://shop:s%40fe@db/shop", "a", "first line\nsecond line"]
    text = 'p@ss"word p%40ss%22word p@ss\\"word s@fe s%40fe postgresql://shop:s%40fe@db/shop a second line'
    found = masked(text, secrets)
    for secret in ("p@ss", "p%40ss", "s@fe", "s%40fe", "second line"):
        assert secret not in found
    assert found.count("[secret]") == 7
    assert masked("postgresql://u:unknown@db", []) == "postgresql://u:***@db"
