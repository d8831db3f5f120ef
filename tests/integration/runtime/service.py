"""A small service whose behaviour its environment stages; run by the tests, not imported."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import FrameType

begun = time.monotonic()


def say(text: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


say(f"begun with {os.environ.get('GREETING', 'no greeting')}")
if "EXIT" in os.environ:
    say(f"cannot go on: {os.environ.get('PASSWORD')}")
    sys.exit(int(os.environ["EXIT"]))


class Handler(BaseHTTPRequestHandler):
    """Tells what the tests want to know."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the interface
        """Keep the log for what the tests print."""

    def do_GET(self) -> None:
        ready = time.monotonic() - begun >= float(os.environ.get("READY_AFTER", "0"))
        status = 200 if ready and "UNHEALTHY" not in os.environ else 503
        if self.path == "/print":
            say("x" * 100)
        body = json.dumps(
            {"pid": os.getpid(), "group": os.getpgid(0), "session": os.getsid(0), "argv": sys.argv, "cwd": os.getcwd()}  # noqa: PTH109
            | {"environment": dict(os.environ)}
        ).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def on_term(_number: int, _frame: FrameType | None) -> None:
    if "STUBBORN" in os.environ:
        return
    say("asked to end")
    sys.exit(0)


signal.signal(signal.SIGTERM, on_term)
if "WORKER" in os.environ and os.fork() == 0:
    Path(os.environ["WORKER"]).write_text(str(os.getpid()))
    time.sleep(600)
ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
