"""Makes the sections fit a window of any size."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from rich.text import Text

from launch.display import sections
from launch.display.picture import Picture
from launch.display.sections import Pen, Section
from launch.display.terminal import Symbols

TWO_COLUMNS = 130
"""From this width on, the users and the breaker stand beside the phases and gates."""
_GAP = 3


def screen(picture: Picture, *, width: int, height: int, now: datetime, symbols: Symbols, hint: str = "") -> list[Text]:
    """Return the lines of the view: at most `height`, none wider than `width`."""
    if width < 1 or height < 1:
        return []
    pen = Pen(width, now, symbols, hint)
    if width < TWO_COLUMNS:
        return _cut(_fit(list(sections.everything(picture, pen)), height), width, symbols)
    return _wide(picture, pen, height)


def remains(picture: Picture, *, width: int, now: datetime, symbols: Symbols) -> list[Text]:
    """Return the lines that stay when the launch is over, as many as there are."""
    parts = list(sections.remains(picture, Pen(max(width, 1), now, symbols)))
    return _cut(_fit(parts, sum(len(part.lines) + 2 for part in parts)), max(width, 1), symbols)


def _wide(picture: Picture, pen: Pen, height: int) -> list[Text]:
    half = (pen.width - _GAP) // 2
    column = Pen(half, pen.now, pen.symbols)
    top = [part for part in (sections.header(picture, pen), sections.rollback(picture, pen)) if part is not None]
    head = _cut(_fit(top, height), pen.width, pen.symbols)
    below = sections.hint(pen)
    foot = below.lines if below is not None and height > len(head) + 12 else []
    room = height - len(head) - len(foot) - 2
    if room < 1:
        return head
    left = (sections.phases(picture, column), sections.gates(picture, column))
    right = tuple(
        part(picture, column) for part in (sections.users, sections.metrics, sections.updates, sections.warnings)
    )
    columns = [
        _cut(_fit([part for part in parts if part is not None], room), half, pen.symbols) for parts in (left, right)
    ]
    lines = [*head, Text("")]
    for number in range(max(map(len, columns))):
        pair = [column[number] if number < len(column) else Text("") for column in columns]
        lines.append(pair[0] + Text(" " * (half - pair[0].cell_len + _GAP)) + pair[1])
    return [*lines, *([Text("")] if foot else []), *_cut(foot, pen.width, pen.symbols)]


def _fit(parts: list[Section], height: int) -> list[Text]:
    """Return the lines of the sections, with less of the unimportant ones where there is no room for all."""
    spaced = True
    while _height(parts, spaced=spaced) > height:
        if spaced:
            spaced = False
            continue
        parts = [part for part in parts if part.lines]
        victim = min(parts, key=lambda part: (len(part.lines) <= 2, part.importance))
        if victim.focus >= len(victim.lines) / 2:
            del victim.lines[0]
            victim.focus -= 1
        else:
            del victim.lines[-1]
    lines: list[Text] = []
    for part in parts:
        if part.lines:
            if spaced and lines:
                lines.append(Text(""))
            lines += [Text(part.title, style="bold dim")] if part.title else []
            lines += part.lines
    return lines


def _height(parts: Sequence[Section], *, spaced: bool) -> int:
    shown = [part for part in parts if part.lines]
    gaps = max(len(shown) - 1, 0) if spaced else 0
    return sum(len(part.lines) + bool(part.title) for part in shown) + gaps


def _cut(lines: Sequence[Text], width: int, symbols: Symbols) -> list[Text]:
    """Return the lines on one row each: what is too long ends in an ellipsis."""
    cut = []
    for line in lines:
        # A reason may hold line breaks, and a terminal obeys control characters.
        flat = line.copy()
        flat.plain = "".join(letter if letter.isprintable() else " " for letter in line.plain)
        if flat.cell_len > width:
            tail = symbols.ellipsis if width > len(symbols.ellipsis) else ""
            flat.truncate(width - len(tail), overflow="crop")
            flat.append(tail)
        flat.no_wrap = True
        cut.append(flat)
    return cut
