"""`python tools/picture.py`: the picture of the live view in the README, drawn from a recorded launch.

It replays the events of a real launch up to a moment and saves the screen as SVG.
"""

from __future__ import annotations

import argparse
import io
import json
from datetime import timedelta
from pathlib import Path

import yaml
from rich.console import Console
from rich.terminal_theme import MONOKAI

from launch.display.picture import Picture
from launch.display.screen import screen
from launch.display.terminal import UNICODE
from phases.events import TrafficShifted, parse
from phases.model import BY_HAND
from phases.spec import LaunchSpec

ROOT = Path(__file__).resolve().parent.parent
RECORDED = ROOT / "tests" / "data" / "events"


def main() -> None:
    """Draw the picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=Path, default=RECORDED / "good.jsonl")
    parser.add_argument("--config", type=Path, default=RECORDED / "launch.yaml", help="its sequence, no variables")
    parser.add_argument(
        "--share", type=int, default=25, help="stop when that percentage of users is on the new version"
    )
    parser.add_argument("--after", type=float, default=2.5, help="and so many seconds passed")
    parser.add_argument("--width", type=int, default=100)
    parser.add_argument("--to", type=Path, default=ROOT / "docs" / "images" / "live.svg")
    options = parser.parse_args()

    body = yaml.safe_load(options.config.read_text(encoding="utf-8"))["launch"]
    picture = Picture(LaunchSpec.model_validate(body, context=BY_HAND))
    now = None
    for line in options.events.read_text(encoding="utf-8").splitlines():
        event = parse(json.loads(line))
        if now is not None and event.time > now:
            break
        picture.apply(event)
        if now is None and isinstance(event, TrafficShifted) and picture.share == options.share:
            now = event.time + timedelta(seconds=options.after)
    if now is None:
        parser.error(f"{options.events} never has {options.share}% of users on the new version")

    console = Console(
        record=True, width=options.width, file=io.StringIO(), force_terminal=True, color_system="truecolor"
    )
    for row in screen(picture, width=options.width, height=36, now=now, symbols=UNICODE):
        console.print(row, no_wrap=True, crop=True)
    options.to.parent.mkdir(parents=True, exist_ok=True)
    title = f"python -m launch up {picture.started.environment}" if picture.started else "launch"
    console.save_svg(str(options.to), title=title, theme=MONOKAI, unique_id="launch")
    print(options.to.relative_to(ROOT) if options.to.is_relative_to(ROOT) else options.to)


if __name__ == "__main__":
    main()
