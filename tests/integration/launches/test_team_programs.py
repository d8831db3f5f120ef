"""docs/guides/team-programs.md, as it is written."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
import yaml

from tests.integration.launches.conftest import Project

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

GUIDE = Path(__file__).parents[3] / "docs" / "guides" / "team-programs.md"

SEQUENCE = """\
launch:
  flags:
    - { key: new_checkout, owner: checkout, created: 2026-11-01, expires: 2030-12-31, cleanup: PR-1 }
  phases:
    - id: deploy
      program: infrastructure.service:slots
      validators:
        - { type: image_digest }
    - id: search-index
      kind: custom
      program: infrastructure.search:index
    - id: health
      validators:
        - { type: http_status, config: { endpoint: /health, expected: 200 } }
    - id: traffic
"""


class Healthy(BaseHTTPRequestHandler):
    """A service that is always well."""

    def do_GET(self) -> None:
        body = b"well"
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""


@contextmanager
def serving(port: int) -> Iterator[int]:
    """A service at that port."""
    with ThreadingHTTPServer(("127.0.0.1", port), Healthy) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def blocks(language: str) -> list[str]:
    """The guide's blocks of code."""
    return re.findall(rf"```{language}\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)


def test_the_guides_yaml_is_what_is_launched_here() -> None:
    written = [yaml.safe_load(block) for block in blocks("yaml")]
    phases = {phase["id"]: phase for phase in yaml.safe_load(SEQUENCE)["launch"]["phases"]}
    (index,) = written[0]["launch"]["phases"]
    (deploy,) = written[1]
    assert index.items() <= phases["search-index"].items()
    assert deploy.items() <= phases["deploy"].items()


def test_programs_of_a_team_take_part_in_launches(make_project: Callable[..., Project]) -> None:
    project = make_project()
    (project.root / "launch.yaml").write_text(SEQUENCE, encoding="utf-8")
    project.edit("Pulumi.dev.yaml", '  launch:database: { url: "sqlite:///.launch/dev/shop.db" }\n', "")
    infrastructure = project.root / "infrastructure"
    infrastructure.mkdir()
    search, service = blocks("python")
    with serving(0) as blue, serving(0) as green:
        service = service.replace("18080", str(blue)).replace("18081", str(green))
        (infrastructure / "search.py").write_text(search, encoding="utf-8")
        (infrastructure / "service.py").write_text(service, encoding="utf-8")
        project.launch("up", "dev", "--image", "shop:1.0", check=0)
        second = project.launch("up", "dev", "--image", "shop:2.0", check=0)
        assert "done again" not in second.stderr  # a program without a resource is recorded like any other
        status = project.status()
        assert [(slot["image"], slot["weight"]) for slot in status["traffic"]] == [("shop:1.0", 0), ("shop:2.0", 100)]
        assert [phase["state"] for phase in status["phases"]] == ["VERIFIED"] * 4
        project.launch("rollback", "dev", check=0)
        shares = {slot["image"]: slot["weight"] for slot in project.status()["traffic"]}
        assert shares["shop:1.0"] == 100
