"""Serves the script: Prometheus scrapes it, and the race changes it through standard input.

`GET /metrics` gives the counters as of that moment. It is told `{"weights": {...}, "failing": 0.5}` (both optional);
where there is `"answer": true` as well, it says from which moment on that is so, by the system's clock. With
`"after_scrape": 0.3` it waits for the next scrape, and then so many seconds more.
"""

from __future__ import annotations

import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from bench.race.actors.actor import heard, say
from bench.race.conditions import RATE
from bench.race.script import Script

SCRIPT = Script(RATE, time.time())
LOCK = threading.Lock()
SCRAPED = threading.Event()
PATIENCE_SECONDS = 5.0


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        with LOCK:
            body = SCRIPT.text(time.time()).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        SCRAPED.set()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def main() -> None:
    """Serve until nobody is left to tell it anything."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    heard()
    say(target=f"127.0.0.1:{server.server_port}")
    while True:
        wanted = heard()
        if "after_scrape" in wanted:
            SCRAPED.clear()
            SCRAPED.wait(PATIENCE_SECONDS)
            time.sleep(wanted["after_scrape"])
        with LOCK:
            at = time.time()
            SCRIPT.change(at, weights=wanted.get("weights"), failing=wanted.get("failing"))
        if wanted.get("answer"):
            say(at=at)


if __name__ == "__main__":
    main()
