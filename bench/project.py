"""A project of its own for a benchmark: shop in a temporary directory, torn down at the end."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from examples.shop.build import BEFORE, build

ROOT = Path(__file__).parent.parent
NO_GATES = """
launch:
  rollback_threshold: { error_rate: 0.02, min_requests: 20, on_inconclusive: continue }
  flags: [{ key: new_checkout, owner: bench, expires: 2099-01-01, cleanup: none }]
  phases:
    - id: migration
    - id: deploy
    - id: traffic
      steps: [{ weight: 10 }, { weight: 50 }, { weight: 100 }]
"""
ENVIRONMENT = """
config:
  launch:service: { name: shop }
  launch:database: { url: "sqlite:///.launch/shop.db" }
"""


@dataclass(frozen=True, slots=True)
class Project:
    """The directory, and the command line in it."""

    root: Path

    def launch(self, *arguments: str) -> tuple[int, list[dict[str, Any]]]:
        """Run `python -m launch` with JSON output; return its exit code and what it printed."""
        done = subprocess.run(
            [sys.executable, "-m", "launch", *arguments, "--output", "json"],
            cwd=self.root,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            check=False,
        )
        lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith(b"{")]
        if done.returncode not in (0, 1):
            raise RuntimeError(f"launch {' '.join(arguments)} ended with {done.returncode}: {done.stderr.decode()}")
        return done.returncode, lines

    def completed(self, image: str) -> None:
        """Launch an image that must get to its users: what failed early must not be measured as fast."""
        code, events = self.launch("up", "dev", "--image", image)
        if code != 0:
            raise RuntimeError(f"{image} was not launched: {events[-1].get('reason')}")

    def router(self) -> str:
        """Return where users come in."""
        _, (status, *_) = self.launch("status", "dev")
        return str(status["url"])


@contextmanager
def project(sequence: str = NO_GATES, *, versions: Sequence[str] = tuple(BEFORE)) -> Iterator[Project]:
    """Make a project with the versions of shop in its registry; destroy what it launched at the end."""
    with tempfile.TemporaryDirectory(prefix="launch-bench-") as directory:
        root = Path(directory)
        files: Mapping[str, str] = {
            "Pulumi.yaml": "name: bench\nruntime: python\n",
            "Pulumi.dev.yaml": ENVIRONMENT,
            "launch.yaml": sequence,
        }
        for name, text in files.items():
            (root / name).write_text(text, encoding="utf-8")
        for version in versions:
            build(version, root / ".launch" / "registry")
        made = Project(root)
        (root / ".tools").symlink_to(ROOT / ".tools")
        try:
            yield made
        finally:
            subprocess.run(
                [sys.executable, "-m", "launch", "down", "dev", "--yes"],
                cwd=root,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
                stdout=subprocess.DEVNULL,
                check=False,
            )
