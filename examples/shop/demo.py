"""The demo: `python examples/shop/demo.py [VERSION]`, which is what `make up` runs.

Without VERSION it launches shop:1.0 where nothing runs yet, and then shop:2.0 while users are at work. With VERSION it
launches that version alone, on top of what runs (of 1.0 where nothing does), and tells what protected the users.

It ends with the exit code of the launch: a bad version's is 1, since its launch was rolled back, as it should be.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from examples.shop.build import ABOUT, BEFORE, NAME, REGISTRY, build
from examples.shop.installation import PROJECT, Crowd, DemoError, Launch
from examples.shop.story import live, tell

FIRST, GOOD = "1.0", "2.0"
_UNFINISHED = ("RUNNING", "PAUSED", "FAILED")


def main(argv: list[str] | None = None) -> int:
    """Run the demo and return the exit code of its last launch."""
    versions = "; ".join(f"{name}: {about}" for name, about in ABOUT.items())
    parser = argparse.ArgumentParser(prog="make up", description=__doc__, epilog=versions)
    parser.add_argument("version", nargs="?", choices=BEFORE, metavar="VERSION", help=", ".join(BEFORE))
    parser.add_argument("--directory", type=Path, default=PROJECT, help="the project (default: this checkout)")
    options = parser.parse_args(argv)
    try:
        return run(options.version or GOOD, options.directory.absolute())
    except DemoError as error:
        print(f"demo: {error}", file=sys.stderr)
        return 2


def run(version: str, project: Path) -> int:
    """Launch a version as the demo does, and return the launch's exit code.

    Raises:
        DemoError: the demo cannot go on.
    """
    launch = Launch(project)
    for name in BEFORE:
        build(name, project / REGISTRY)
    before = launch.status()
    if before["state"] in _UNFINISHED:
        raise DemoError(
            f"launch {before['launch']} is {before['state']} here; `python -m launch resume dev` finishes it, and "
            "`make down` takes everything away"
        )
    if live(before) is None and version != FIRST:
        print(f"Nobody uses shop yet: {NAME}:{FIRST} comes first, with nobody to disturb.", flush=True)
        code = launch.up(f"{NAME}:{FIRST}")
        if code:
            return code
        before = launch.status()
    return _under_load(version, launch, before)


def _under_load(version: str, launch: Launch, before: dict[str, Any]) -> int:
    crowd = None
    try:
        if before.get("url") and live(before) is not None:
            crowd = Crowd(str(before["url"]), launch.project / ".launch" / "dev" / "load.json")
            crowd.arrive()
            print(f"\nUsers are at work on {live(before)}. Now {NAME}:{version}: {ABOUT[version]}.", flush=True)
        code = launch.up(f"{NAME}:{version}")
    finally:
        users = crowd.leave() if crowd is not None else {}
    after = launch.status()
    if after["launch"] == before["launch"]:
        return code  # no launch began: what was printed says why, and there is nothing to add
    lines = tell(version, code, before=before, after=after, reason=launch.reason(), users=users)
    print("\n" + "\n".join(lines), flush=True)
    return code


if __name__ == "__main__":
    sys.exit(main())
