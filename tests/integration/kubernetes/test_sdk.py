"""The SDK of pulumi-kubernetes, wanted by the programs of several stacks at the same moment."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytestmark = pytest.mark.integration

TOGETHER = """
import sys, threading
from components.kubernetes import sdk

sys.setswitchinterval(0.0005)
start, failed = threading.Barrier(6), []

def program():
    start.wait()
    try:
        {load}
        import pulumi_kubernetes
        for group, name in (("apps", "Deployment"), ("core", "ConfigMap"), ("meta", "ObjectMetaArgs")):
            getattr(getattr(pulumi_kubernetes, group).v1, name)
        pulumi_kubernetes.autoscaling.v2.HorizontalPodAutoscaler
        pulumi_kubernetes.policy.v1.PodDisruptionBudget
        pulumi_kubernetes.apiextensions.CustomResource
    except Exception as error:
        failed.append(repr(error))

threads = [threading.Thread(target=program) for _ in range(6)]
for thread in threads: thread.start()
for thread in threads: thread.join()
sys.exit("\\n".join(failed) or None)
"""


def run(load: str) -> subprocess.CompletedProcess[str]:
    program = [sys.executable, "-c", TOGETHER.format(load=load)]
    return subprocess.run(program, capture_output=True, text=True, check=False, timeout=120)


def test_programs_that_start_together_find_all_of_it() -> None:
    done = run("sdk.load()")
    assert done.returncode == 0, done.stderr


def test_without_care_they_find_half_a_module() -> None:
    """Where this fails, the SDK has learned to load itself, and `sdk.py` can go."""
    assert any("has no attribute" in run("pass").stderr for _ in range(5))
