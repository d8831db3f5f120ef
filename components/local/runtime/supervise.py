"""The supervisor daemon: `python -m components.local.runtime.supervise DIRECTORY`, its order on standard input.

It keeps one child alive, in a session of its own, until it gets SIGTERM. It is started by `supervisor.start`
(or `router.configure`) only, and imports the standard library alone: about 12 MB.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import sys
import time
from dataclasses import replace
from pathlib import Path
from types import FrameType

from components.local.runtime import ports
from components.local.runtime.backoff import Backoff
from components.local.runtime.child import Adopted, Child, spawn
from components.local.runtime.errors import RuntimeFailure
from components.local.runtime.files import Layout, read_json, write_json
from components.local.runtime.identity import Identity
from components.local.runtime.logs import rotate
from components.local.runtime.spec import Order
from components.local.runtime.state import Phase, Record

_TICK = 1.0
"""Seconds between two looks at the size of the log."""
_ADOPTED_TICK = 0.1
"""The same for a child that is no child of ours: its end sends us no signal."""


class Supervisor:
    """One child, kept alive."""

    def __init__(self, order: Order) -> None:
        self._order = order
        self._layout = Layout(order.directory)
        self._backoff = Backoff()
        self._identity = Identity.of(os.getpid()) or Identity(os.getpid(), "unknown")
        self._child: Child | None = None
        self._born = 0.0
        self._restart_at: float | None = None
        self._restarts = 0
        self._ended: str | None = None
        self._ready = False
        self._phase: Phase = "starting"
        self._stopping = False
        self._ports: tuple[int, ...] = ()
        self._listening: list[socket.socket] = []
        self._guards: list[socket.socket] = []
        self._wake, self._waker = socket.socketpair()

    def run(self) -> int:
        """Supervise until told to stop; return the exit code."""
        self._listen_to_signals()
        try:
            self._begin()
        except (RuntimeFailure, OSError) as error:
            self._ended = f"could not be started: {error}"
            self._record("failed")
            return 1
        while not self._stopping:
            if not self._watch():
                return 1
            self._wait()
        self._stop()
        return 0

    def _listen_to_signals(self) -> None:
        for end in (self._wake, self._waker):
            end.setblocking(False)
        signal.set_wakeup_fd(self._waker.fileno(), warn_on_full_buffer=False)

        def stop(_number: int, _frame: FrameType | None) -> None:
            self._stopping = True

        def ready(_number: int, _frame: FrameType | None) -> None:
            self._ready = True

        def nothing(_number: int, _frame: FrameType | None) -> None:
            """A handler, where ignoring the signal would be inherited by the child."""

        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, stop)
        signal.signal(signal.SIGUSR1, ready)
        signal.signal(signal.SIGHUP, nothing)
        signal.signal(signal.SIGCHLD, nothing)

    def _begin(self) -> None:
        adopted = Identity.parse(self._order.adopt)
        kept = tuple((read_json(self._layout.address) or {}).get("ports", ()))
        if adopted is not None and adopted.alive():
            self._ports = kept
            self._child = Adopted(adopted)
            self._born = time.monotonic()
            self._ready = True
            self._record("running")
            return
        self._open_ports(kept)
        self._spawn()

    def _open_ports(self, kept: tuple[int, ...]) -> None:
        numbers: list[int] = []
        for index, port in enumerate(self._order.ports):
            bound = ports.bind(port, kept[index] if index < len(kept) else None)
            numbers.append(bound.getsockname()[1])
            if port.listen:
                self._listening.append(ports.listen(bound))
            else:
                self._guards.append(bound)
        self._ports = tuple(numbers)
        write_json(self._layout.address, {"ports": numbers})

    def _spawn(self) -> None:
        if not self._listening and any(port.listen for port in self._order.ports):
            # After an adopted child only: its sockets were opened by the supervisor that was killed.
            self._open_ports(self._ports)
        while self._guards:
            self._guards.pop().close()
        self._restart_at = None
        self._born = time.monotonic()
        self._child = spawn(self._order, self._layout, self._ports, self._listening)
        self._record("running" if self._ready else "starting")

    def _watch(self) -> bool:
        """See to the child; False when it ended before it was ever ready."""
        now = time.monotonic()
        if self._child is not None:
            ended = self._child.ended()
            if ended is None:
                if not self._ready and now - self._born >= self._backoff.stable:
                    self._ready = True
                if self._ready:
                    self._settle()
                return True
            return self._bury(ended, now)
        if self._restart_at is not None and now >= self._restart_at:
            try:
                self._spawn()
            except (RuntimeFailure, OSError) as error:
                return self._bury(f"could not be started: {error}", now)
        return True

    def _settle(self) -> None:
        if self._phase != "running":
            self._record("running")

    def _bury(self, ended: str, now: float) -> bool:
        if self._child is not None:
            self._child.identity.kill_group()  # what it left behind must not hold the port
        self._child = None
        self._ended = ended
        if not self._ready:
            self._record("failed")
            return False
        delay = self._backoff.after(now - self._born)
        self._restarts += 1
        self._restart_at = now + delay
        self._say(f"{self._order.command[0]} {ended}; restart {self._restarts} in {delay:g} s")
        self._guard()
        self._record("restarting")
        return True

    def _guard(self) -> None:
        """Hold the port while no child has it."""
        for port, number in zip(self._order.ports, self._ports, strict=True):
            if not port.listen:
                try:
                    self._guards.append(ports.bind(replace(port, number=number), None))
                except RuntimeFailure as error:
                    self._say(str(error))

    def _wait(self) -> None:
        timeout = _ADOPTED_TICK if isinstance(self._child, Adopted) else _TICK
        if self._restart_at is not None:
            timeout = min(timeout, self._restart_at - time.monotonic())
        self._sleep(timeout)
        rotate(self._layout.log)
        if not self._at_home():
            self._say("the runtime directory was removed, so nobody could stop this any more: stopping")
            self._stopping = True

    def _at_home(self) -> bool:
        """Whether the directory is still the one this supervisor was started for."""
        try:
            return self._layout.life_lock.stat().st_ino == os.fstat(self._order.life_lock).st_ino
        except OSError:
            return False

    def _sleep(self, timeout: float) -> None:
        """Wait for a signal, for at most `timeout` seconds."""
        if select.select([self._wake], [], [], max(0.0, timeout))[0]:
            self._wake.recv(4096)

    def _stop(self) -> None:
        for held in self._listening:
            held.close()
        if self._child is None:
            return
        asked = read_json(self._layout.stop) or {}
        deadline = time.monotonic() + float(asked.get("grace", self._order.stop_grace))
        group = self._child.identity
        group.send_group(signal.SIGTERM)
        while self._child.ended() is None and time.monotonic() < deadline:
            self._sleep(min(_ADOPTED_TICK, deadline - time.monotonic()))
        group.send_group(signal.SIGKILL)
        while self._child.ended() is None:  # and so it is waited for, and no zombie of ours in the group
            time.sleep(0.01)
        group.kill_group()

    def _record(self, phase: Phase) -> None:
        self._phase = phase
        record = Record(
            phase=phase,
            supervisor=self._identity,
            child=None if self._child is None else self._child.identity,
            ports=self._ports,
            urls=tuple(
                f"http://{ports.reachable(port.host)}:{number}"
                for port, number in zip(self._order.ports, self._ports, strict=False)
            ),
            restarts=self._restarts,
            digest=self._order.digest,
            ended=self._ended,
        )
        try:
            record.write(self._layout)
        except FileNotFoundError:
            self._stopping = True  # the directory was removed: as when the next look at it finds out

    def _say(self, text: str) -> None:
        stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        print(f"{stamp} {text}", file=sys.stderr, flush=True)  # noqa: T201 - standard error is the daemon's log


def main() -> int:
    """Read the order, leave the caller's process tree, and supervise."""
    line = sys.stdin.buffer.readline()
    try:
        order = Order.from_json(line)
    except ValueError:
        return 2  # whoever started us was killed before it had told us what to do
    if Path(sys.argv[1]) != order.directory:
        return 2
    if os.fork():
        return 0  # not a child of the caller: it need not wait for us, and we are not its zombie
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(null, 1)
    os.close(null)
    os.chdir("/")
    return Supervisor(order).run()


if __name__ == "__main__":
    sys.exit(main())
