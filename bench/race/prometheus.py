"""A real Prometheus that scrapes the script about once a second, at another moment of the second each time.

Who measures once a second does so on whole seconds, and a Prometheus that scrapes once a second stays where its
target's name has put it within the second: between both there would be one constant gap, and it would decide the race.
A reload moves it, but takes five to ten seconds to. So the interval is somewhat shorter than a second: the scrape runs
through the whole second again and again, and the breach comes at a moment that is drawn.
"""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path
from typing import Any

from bench.race.conditions import LIMIT, QUERY, SCRAPE_SECONDS
from bench.race.kept import Asked
from tests.cluster.processes import Processes, free_ports

_START_SECONDS = 30.0
_EVERY = round(SCRAPE_SECONDS * 1000)


class NoPrometheus(Exception):
    """It is not installed; the message says how it is."""


class Prometheus:
    """A server of its own, on 127.0.0.1.

    Args:
        processes: starts and ends it.
        target: HOST:PORT of what it scrapes.

    Attributes:
        url: where it listens.

    Raises:
        NoPrometheus: it is not installed.
        TimeoutError: it does not start.
    """

    def __init__(self, processes: Processes, target: str) -> None:
        program = shutil.which("prometheus")
        if program is None:
            raise NoPrometheus(
                "the race reads a real Prometheus, and there is none on PATH: `apt-get install prometheus` on Debian "
                "and Ubuntu (nothing of it needs to run), or https://prometheus.io/download"
            )
        (port,) = free_ports(1)
        self.url = f"http://127.0.0.1:{port}"
        file = processes.directory / "prometheus.yml"
        file.write_text(json.dumps(_configuration(target)), encoding="utf-8")  # JSON is YAML
        arguments = [
            f"--config.file={file}",
            f"--storage.tsdb.path={processes.directory / 'prometheus'}",
            f"--web.listen-address=127.0.0.1:{port}",
            "--log.level=warn",
        ]
        processes.start("prometheus", [Path(program), *arguments])
        self._wait()

    def wait_until_clean(self, limit: float = 30.0) -> None:
        """Wait until nothing of an earlier breach is within the window.

        Raises:
            TimeoutError: it still is.
        """
        asked, end = Asked(self.url, QUERY), time.monotonic() + limit
        while asked.value() > 0:
            if time.monotonic() > end:
                raise TimeoutError(f"the error rate is still not 0 after {limit:g} s; the limit is {LIMIT:g}")
            time.sleep(0.1)

    def _wait(self) -> None:
        """Wait until it has scraped."""
        end, problem = time.monotonic() + _START_SECONDS, "nothing was scraped"
        while time.monotonic() < end:
            try:
                if Asked(self.url, "up").value() == 1:
                    return
            except (OSError, RuntimeError) as error:
                problem = str(error)
            time.sleep(0.1)
        raise TimeoutError(f"Prometheus is not ready after {_START_SECONDS:g} s: {problem}")


def _configuration(target: str) -> dict[str, Any]:
    return {
        "global": {"scrape_interval": f"{_EVERY}ms", "scrape_timeout": f"{_EVERY}ms"},
        "scrape_configs": [{"job_name": "shop", "static_configs": [{"targets": [target]}]}],
    }
