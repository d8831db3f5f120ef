"""The live view: one picture of the launch that fits the window and is drawn over itself."""

from __future__ import annotations

import sys
import textwrap
import threading
import traceback
from types import TracebackType
from typing import Self, TextIO

from rich.console import Console, Group
from rich.control import Control
from rich.live import Live as Region
from rich.text import Text

from launch.display.clean import clean
from launch.display.picture import Picture
from launch.display.plain import Plain
from launch.display.screen import remains, screen
from launch.display.summary import summary
from launch.display.terminal import one_line, symbols
from phases.clock import Clock, SystemClock
from phases.events import Event, LaunchEnded, LaunchStarted, RollbackStarted
from phases.spec import LaunchSpec
from phases.states import LaunchState

FRAMES_PER_SECOND = 4
_HINT = "Ctrl-C rolls back (or pauses, with --on-interrupt pause); twice stops waiting"
_HINT_BACK = "Ctrl-C twice stops waiting; `launch resume` finishes the rollback then"
_HINT_AGAIN = "Ctrl-C once more stops waiting; `launch resume` finishes the rollback then"


class Live:
    """A view that draws itself four times a second, from a thread of its own, and at every rollback and end.

    An error in drawing never stops a launch: it is shown, and the launch goes on in plain lines.

    Args:
        spec: the sequence, for titles and gates.
        secrets: values that must not be shown.
        stream: a terminal.
        clock: for the time that goes on between events.
        hint: a line about Ctrl-C; None is what it does to a launch of this process.
    """

    def __init__(
        self,
        spec: LaunchSpec,
        *,
        secrets: tuple[str, ...] = (),
        stream: TextIO | None = None,
        clock: Clock | None = None,
        hint: str | None = None,
    ) -> None:
        self._stream = stream or sys.stdout
        self._spec, self._secrets = spec, secrets
        self._clock = clock or SystemClock()
        self._hint = hint
        self._picture = Picture(spec)
        self._console = Console(file=self._stream, highlight=False, markup=False, emoji=False)
        self._symbols = symbols(self._console.encoding)
        self._region: Region | None = None
        self._lock = threading.RLock()
        self._over = threading.Event()
        self._size = self._console.size
        self._instead: Plain | None = None

    def __enter__(self) -> Self:
        """Be ready; the screen is taken with the first event."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, frames: TracebackType | None
    ) -> None:
        """Give the screen back, with the last picture and the summary on it."""
        self._over.set()
        with self._lock:
            self._close()
            if self._instead is None:
                self._last_words()

    def __call__(self, event: Event) -> None:
        """Take in an event; the rollback's beginning is shown at once."""
        event = clean(event, self._secrets)
        with self._lock:
            if self._instead is not None:
                self._instead(event)
                return
            self._picture.apply(event)
        if isinstance(event, LaunchStarted):
            # Not before there is something to show: an error before the launch begins stands alone on the screen.
            self._open()
        if isinstance(event, LaunchStarted | RollbackStarted | LaunchEnded):
            self._draw()

    def _open(self) -> None:
        with self._lock:
            if self._region is not None or self._over.is_set():
                return
            self._region = Region(
                console=self._console,
                auto_refresh=False,
                transient=True,
                redirect_stdout=False,
                redirect_stderr=True,
                vertical_overflow="crop",
            )
            self._region.start()
        threading.Thread(target=self._animate, name="launch-view", daemon=True).start()

    def _animate(self) -> None:
        while not self._over.wait(1 / FRAMES_PER_SECOND):
            self._draw()

    def _draw(self) -> None:
        with self._lock:
            if self._region is None or self._over.is_set():
                return
            try:
                size = self._console.size
                if size != self._size:
                    # The terminal has wrapped the lines anew: nobody knows any more where they begin.
                    self._size = size
                    self._console.control(Control.home(), Control.clear())
                self._region.update(self._frame(size.width, size.height - 1), refresh=True)
            except Exception as error:  # noqa: BLE001 - a view must not take the launch down, nor be silent about it
                self._give_up(error)

    def _frame(self, width: int, height: int) -> Group:
        lines = screen(
            self._picture,
            width=width,
            height=height,
            now=self._clock.now(),
            symbols=self._symbols,
            hint=self._now_hint(),
        )
        return Group(*lines)

    def _now_hint(self) -> str:
        if self._hint is not None:
            return self._hint
        begun = self._picture.rollback
        if begun is None:
            return _HINT
        return _HINT_AGAIN if begun.reason == "interrupted" else _HINT_BACK

    def _close(self) -> None:
        region, self._region = self._region, None
        if region is not None:
            region.stop()

    def _give_up(self, error: BaseException) -> None:
        """Show the error and go on in plain lines."""
        self._close()
        traceback.print_exception(error, file=sys.stderr)
        print("launch: the live view failed, which is a bug; the launch goes on in plain lines", file=sys.stderr)  # noqa: T201
        self._instead = Plain(self._stream, self._spec, secrets=self._secrets, picture=self._picture)

    def _last_words(self) -> None:
        """Leave the phases and the summary on the screen."""
        if self._picture.started is None:
            return
        width = self._console.width
        for line in remains(self._picture, width=width, now=self._clock.now(), symbols=self._symbols):
            self._console.print(line, no_wrap=True, crop=False, overflow="ignore")
        rows = list(summary(self._picture))
        if rows:
            self._console.print()
        column = max((len(label) for label, _ in rows[1:]), default=0)
        for number, (label, text) in enumerate(rows):
            if number == 0:
                self._console.print(Text.assemble((label, _style(self._picture.state)), f": {text}"), soft_wrap=True)
                continue
            # Commands stay whole, so that they can be copied; sentences break between words.
            room = max(width - column - 4, 20)
            parts = [text] if "  # " in text else textwrap.wrap(one_line(text), room) or [""]
            for index, part in enumerate(parts):
                name = label if index == 0 else ""
                self._console.print(Text.assemble((f"  {name:<{column}}  ", "dim"), part), soft_wrap=True)


def _style(state: LaunchState) -> str:
    return {LaunchState.COMPLETED: "bold green", LaunchState.FAILED: "bold red"}.get(state, "bold yellow")
