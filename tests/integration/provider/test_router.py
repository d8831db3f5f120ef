"""A router, through the real engine."""

from __future__ import annotations

import http.server
import shutil
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from phases.errors import UpdateFailed
from tests.integration.provider.world import World, eventually

pytestmark = [
    pytest.mark.integration,
    # The Automation API leaves an event loop open after an update that fails.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


class Slot(http.server.ThreadingHTTPServer):
    """Answers with its name."""

    def __init__(self, name: str) -> None:
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Length", str(len(name)))
                self.end_headers()
                self.wfile.write(name.encode())

            def log_message(self, *_: object) -> None:
                """Stay quiet."""

        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.thread = threading.Thread(target=self.serve_forever)
        self.thread.start()

    def end(self) -> None:
        self.shutdown()
        self.thread.join()
        self.server_close()


@pytest.fixture
def slots() -> Iterator[dict[str, Slot]]:
    found = {name: Slot(name) for name in ("blue", "green")}
    yield found
    for slot in found.values():
        slot.end()


def props(world: World, slots: dict[str, Slot], blue: int, green: int, **changed: object) -> dict[str, Any]:
    weights = {"blue": blue, "green": green}
    backends = [{"slot": name, "url": slots[name].url, "weight": weight} for name, weight in weights.items()]
    return {"directory": str(world.root / "run" / "router"), "backends": backends, **changed}


def up(world: World, inputs: dict[str, Any]) -> tuple[dict[str, int], dict[str, Any]]:
    update = world.stack.update(world.program("launch:local:Router", inputs), message="router")
    return dict(update.changes), world.stack.outputs()


def answers(url: str, count: int = 20) -> set[str]:
    found = set()
    for _ in range(count):
        with urllib.request.urlopen(url, timeout=10) as response:  # noqa: S310 - our own server
            found.add(response.read().decode())
    return found


def test_weights_change_in_place_and_the_address_stays(world: World, slots: dict[str, Slot]) -> None:
    changes, before = up(world, props(world, slots, 100, 0))
    assert changes == {"create": 2}
    assert answers(before["url"]) == {"blue"}
    assert up(world, props(world, slots, 100, 0)) == ({"same": 2}, before)

    changes, after = up(world, props(world, slots, 0, 100))
    assert changes == {"same": 1, "update": 1}
    assert answers(after["url"]) == {"green"}
    assert after == before

    with urllib.request.urlopen(f"{after['admin']}/metrics", timeout=10) as response:  # noqa: S310
        assert b'green"' in response.read()


def test_refresh_sees_weights_that_somebody_changed(world: World, slots: dict[str, Slot]) -> None:
    from components.local.runtime.router import Backend, configure

    _, outputs = up(world, props(world, slots, 100, 0))
    changed = [Backend("blue", slots["blue"].url, 50), Backend("green", slots["green"].url, 50)]
    configure(world.root / "run" / "router", backends=changed)
    assert world.stack.refresh().changes == {"same": 1, "update": 1}
    changes, _ = up(world, props(world, slots, 100, 0))
    assert changes == {"same": 1, "update": 1}
    assert answers(outputs["url"]) == {"blue"}


def test_refresh_sees_a_stopped_router_and_the_next_update_starts_it_where_it_was(
    world: World, slots: dict[str, Slot]
) -> None:
    from components.local.runtime.router import stop_router

    _, before = up(world, props(world, slots, 100, 0))
    stop_router(world.root / "run" / "router")
    assert world.stack.refresh().changes == {"same": 1, "delete": 1}
    changes, after = up(world, props(world, slots, 100, 0))
    assert changes == {"same": 1, "create": 1}
    assert after["url"] == before["url"]
    assert answers(after["url"]) == {"blue"}


def test_an_update_sees_that_the_router_is_gone_without_being_told_to_refresh(
    world: World, slots: dict[str, Slot]
) -> None:
    _, before = up(world, props(world, slots, 100, 0))
    for process in world.processes():
        process.kill()
    eventually(lambda: not world.processes())
    changes, after = up(world, props(world, slots, 0, 100))
    assert changes == {"same": 1, "create": 1}
    assert answers(after["url"]) == {"green"}
    assert after["url"] == before["url"]


def test_destroy_leaves_nothing(world: World, slots: dict[str, Slot]) -> None:
    _, outputs = up(world, props(world, slots, 100, 0))
    world.stack.destroy(message="destroy")
    assert not (world.root / "run" / "router").exists()
    assert world.processes() == []
    with pytest.raises(urllib.error.URLError):
        answers(outputs["url"], count=1)


def test_destroying_what_is_gone_already_is_no_error(world: World, slots: dict[str, Slot]) -> None:
    up(world, props(world, slots, 100, 0))
    for process in world.processes():
        process.kill()
    eventually(lambda: not world.processes())
    shutil.rmtree(world.root / "run" / "router")
    world.stack.destroy(message="destroy")
    assert world.recorded() == []


def test_another_directory_is_another_router(world: World, slots: dict[str, Slot]) -> None:
    _, before = up(world, props(world, slots, 100, 0))
    moved = props(world, slots, 100, 0, directory=str(world.root / "run" / "other"))
    changes, after = up(world, moved)
    assert changes == {"same": 1, "replace": 1}
    assert answers(after["url"]) == {"blue"}
    assert after["url"] != before["url"]
    assert not (world.root / "run" / "router").exists()

    # With a fixed port the old one has to make room first.
    fixed = props(world, slots, 100, 0, port=after["port"])
    changes, last = up(world, fixed)
    assert changes == {"same": 1, "replace": 1}
    assert last["port"] == after["port"]
    assert answers(last["url"]) == {"blue"}


def test_weights_that_are_not_100_are_a_mistake(world: World, slots: dict[str, Slot]) -> None:
    with pytest.raises(UpdateFailed, match=r"backends.*add up to 60"):
        up(world, props(world, slots, 50, 10))
    with pytest.raises(UpdateFailed, match=r"backends\[1\]\.weight.*is 150"):
        up(world, props(world, slots, 50, 150))
    assert not (world.root / "run").exists()


def test_preview_starts_nothing(world: World, slots: dict[str, Slot]) -> None:
    program = world.program("launch:local:Router", props(world, slots, 100, 0))
    assert world.stack.preview(program).changes == {"create": 2}
    assert not (world.root / "run").exists()
