"""The demo as `make up` runs it, with the real engine: short steps, its own directory, ports from the system."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

ROOT = Path(__file__).parents[3]
SHORT = """
  launch:phases:
    traffic: { steps: [{ weight: 10, bake: 2s }, { weight: 50, bake: 3s }, { weight: 100, bake: 1s }] }
    post_launch: { window: 1s }
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A copy of the demo's files; what the demo made is destroyed in the end."""
    made = tmp_path_factory.mktemp("demo")
    for name in ("Pulumi.yaml", "launch.yaml", "examples/shop/synthetic.yaml"):
        (made / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, made / name)
    environment = re.sub(r"port: \d+", "port: 0", (ROOT / "Pulumi.dev.yaml").read_text())
    (made / "Pulumi.dev.yaml").write_text(environment + SHORT)
    yield made
    subprocess.run([sys.executable, "-m", "launch", "down", "dev", "--yes"], cwd=made, check=True, capture_output=True)


def demo(project: Path, *arguments: str) -> subprocess.Popen[str]:
    """Start the demo in a process group of its own, as a terminal does."""
    return subprocess.Popen(
        [sys.executable, str(ROOT / "examples" / "shop" / "demo.py"), *arguments, "--directory", str(project)],
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def load_generators(project: Path) -> list[int]:
    """Return the load generators of this project."""
    return [
        process.pid
        for process in psutil.process_iter(["cmdline"])
        if str(project) in " ".join(process.info["cmdline"] or ()) and "examples.load" in process.info["cmdline"]
    ]


def squeezed(text: str) -> str:
    return " ".join(text.split())


def test_make_up_takes_users_from_1_0_to_2_0_without_a_failed_request(project: Path) -> None:
    process = demo(project)
    told, _ = process.communicate()
    assert process.returncode == 0, told
    for part in ("shop:2.0: COMPLETED", "Failed none", "Users have 100% shop:2.0", "new_checkout on", "revision 0002"):
        assert part in squeezed(told)
    assert load_generators(project) == []


def test_a_bad_version_ends_with_1_and_costs_only_what_it_earned(project: Path) -> None:
    process = demo(project, "2.1")
    told, _ = process.communicate()
    assert process.returncode == 1, told
    for part in ("shop:2.1: ROLLED BACK", "the breaker tripped", "none from shifting the traffic"):
        assert part in squeezed(told)
    assert "image, weights, flags and schema are as they were before" in squeezed(told)


def test_ctrl_c_goes_back_while_users_stay(project: Path) -> None:
    """The terminal sends it to everybody in the group: the demo waits for the launch to end in a known state."""
    process = demo(project, "2.0")
    assert process.stdout is not None
    lines: list[str] = []
    for line in process.stdout:
        lines.append(line)
        if "-> 10%" in line:
            os.killpg(process.pid, signal.SIGINT)
            break
    lines.extend(process.stdout)
    told = "".join(lines)
    process.stdout.close()
    assert process.wait() == 130, told
    assert "shop:2.0: INTERRUPTED" in told
    assert "Failed none" in squeezed(told)
    assert load_generators(project) == []


def test_a_version_that_is_not_there_is_refused(project: Path) -> None:
    process = demo(project, "9.9")
    told, _ = process.communicate()
    assert process.returncode == 2
    assert "2.4" in told
