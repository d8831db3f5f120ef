"""The inline program of an armed update: every outcome's program at once, each in a context of its own.

See `stacks/gate.py` for what they may do before the verdict.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import copy
import inspect
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

from stacks.gate import Gate, Side
from stacks.likeness import Key
from stacks.replay_values import is_secret

QUIET_S: Final = 0.05
"""Nothing was asked or answered for so long: what can be registered before the verdict is registered."""
MOST_CALLS: Final = 128
"""Each call that is held takes a thread. Where there are more, the last ones begin when the verdict frees the first."""
LOOK_UP_S: Final = 1.0
"""How often a program that waits looks whether its process is ending."""
HAND_OVER_S: Final = 0.02
"""How long whoever decides lets the one who acts go first; what takes longer has other reasons."""
RELEASE_S: Final = 0.25
"""How long after the verdict the other outcomes' programs are told; until then the winner has the interpreter."""
_LOOK_S: Final = 0.02
_END_S: Final = 10.0
"""How long the code of the outcomes that were not decided may take to end."""
_SPARE_THREADS: Final = 16


@dataclass(frozen=True, slots=True)
class Outcome:
    """What may be decided.

    Attributes:
        program: the inline program that makes it so.
        side: what the gate has to know of it.
        calls: how many calls will probably wait at once; each waits on a thread.
    """

    program: Callable[[], Any]
    side: Side
    calls: int


class ArmedProgram:
    """The program that waits for its verdict.

    Args:
        tell: told `ready` when all is registered that can be before the verdict, and `applied` when the decided
            program has registered everything.

    Attributes:
        outputs: once applied, the stack outputs, as `pulumi stack output --json` shows them.
        registered: once applied, what was registered, with its URNs.
    """

    def __init__(self, tell: Callable[[str], None]) -> None:
        self.outputs: dict[str, Any] = {}
        self.registered: Mapping[Key, str] = {}
        self._tell = tell
        self._outcomes: Mapping[str, Outcome] = {}
        self._provided = threading.Event()
        self._lock = threading.Lock()
        self._gate: Gate | None = None
        self._decided: str | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._verdict: asyncio.Event | None = None

    def provide(self, outcomes: Mapping[str, Outcome]) -> None:
        """Say what may be decided; the engine may be starting meanwhile."""
        self._outcomes = outcomes
        self._provided.set()

    @property
    def decided(self) -> str | None:
        """The outcome that was decided."""
        return self._decided

    def decide(self, name: str) -> str:
        """Decide, from any thread and at any time; the first word counts, and what it was is returned.

        Raises:
            KeyError: there is no such outcome.
        """
        if name not in self._outcomes:
            raise KeyError(name)
        with self._lock:
            self._decided = self._decided or name
            gate, loop, verdict = self._gate, self._loop, self._verdict
        if gate is not None:
            gate.decide(self._decided)
            gate.wait_under_way(HAND_OVER_S)
        if loop is not None and verdict is not None:
            with contextlib.suppress(RuntimeError):  # the update is over; whoever waits for it is told
                loop.call_soon_threadsafe(verdict.set)
        return self._decided

    async def __call__(self) -> None:
        """Run as the program of an update."""
        import pulumi
        from pulumi.runtime import get_root_resource
        from pulumi.runtime.settings import get_monitor

        root, monitor = get_root_resource(), get_monitor()
        if root is None or monitor is None:
            raise pulumi.RunError("an armed update runs as the program of an update")
        loop = asyncio.get_running_loop()
        while not self._provided.is_set():
            await asyncio.sleep(_LOOK_S)
            _must_go_on()
        calls = sum(outcome.calls for outcome in self._outcomes.values())
        threads = min(calls, MOST_CALLS) + _SPARE_THREADS
        loop.set_default_executor(ThreadPoolExecutor(threads, thread_name_prefix="launch-armed"))
        gate = Gate(monitor, {name: outcome.side for name, outcome in self._outcomes.items()})
        runs = {name: _Run(outcome, gate, root, monitor) for name, outcome in self._outcomes.items()}
        # Where the verdict is there already, and the decided program registers nothing, the stack's own registration
        # would still be under way at the end, and be ended with what the other outcomes do.
        await root.urn.future()
        others = asyncio.all_tasks()
        verdict = asyncio.Event()
        with self._lock:
            self._gate, self._loop, self._verdict = gate, loop, verdict
            if self._decided is not None:
                gate.decide(self._decided)
                verdict.set()
        try:
            await self._run(gate, runs, verdict, 0.0 if calls > MOST_CALLS else RELEASE_S)
            await self._finish(gate, runs, root)
        finally:
            gate.close()
            await _end_all_but(others)

    async def _run(self, gate: Gate, runs: Mapping[str, _Run], verdict: asyncio.Event, release: float) -> None:
        for run in runs.values():
            if not run.late:
                run.start()
        await self._settle(gate, runs, verdict)
        self._tell("ready")
        while not await _within(verdict, LOOK_UP_S):
            _must_go_on()
        assert self._decided is not None  # noqa: S101 - that is what the event says
        asyncio.get_running_loop().call_later(release, gate.release)
        winner = runs[self._decided]
        winner.start()
        await winner.task
        self.outputs = await winner.shown()
        self.registered = gate.registered(winner.name)
        self._tell("applied")

    async def _settle(self, gate: Gate, runs: Mapping[str, _Run], verdict: asyncio.Event) -> None:
        """Wait until every program is at its end or before something that has to wait for the verdict."""
        eager = [run for run in runs.values() if not run.late]
        while not verdict.is_set():
            if gate.quiet >= QUIET_S and all(run.done or gate.held(run.name) for run in eager):
                return
            await asyncio.sleep(_LOOK_S)

    async def _finish(self, gate: Gate, runs: Mapping[str, _Run], root: Any) -> None:  # noqa: ANN401
        winner = runs[self._decided or ""]
        loop = asyncio.get_running_loop()
        for request in gate.outputs_of(winner.name):
            await loop.run_in_executor(None, winner.monitor.really_register_outputs, request)
        root.outputs.update(winner.root.outputs)


class _Run:
    """One outcome's program, in a context of its own: its registrations, its failures and its stack outputs."""

    task: asyncio.Task[None]

    def __init__(self, outcome: Outcome, gate: Gate, root: Any, monitor: Any) -> None:  # noqa: ANN401
        self.name = outcome.side.name
        self.late = outcome.side.late
        self.root = copy.copy(root)
        self.root.outputs = {}
        self.monitor = _monitor(gate, self.name, monitor)
        self._program = outcome.program
        self._started = False
        self._context = contextvars.copy_context()
        self._context.run(self._enter)

    def _enter(self) -> None:
        from pulumi.runtime.rpc_manager import RPCManager
        from pulumi.runtime.settings import SETTINGS, set_root_resource

        SETTINGS.monitor = self.monitor
        SETTINGS.rpc_manager = RPCManager()  # type: ignore[no-untyped-call]
        SETTINGS.outputs = set()
        set_root_resource(self.root)

    def start(self) -> None:
        """Run the program, unless it runs already."""
        if not self._started:
            self._started = True
            self.task = asyncio.get_running_loop().create_task(self._run(), context=self._context)

    @property
    def done(self) -> bool:
        return self._started and self.task.done()

    async def _run(self) -> None:
        from pulumi.runtime.stack import wait_for_rpcs

        result = self._program()
        if inspect.isawaitable(result):
            await result
        await wait_for_rpcs()

    async def shown(self) -> dict[str, Any]:
        """Return the stack outputs as people see them: what is secret is the text `[secret]`."""
        from pulumi.runtime.stack import massage

        return {name: await _show(value) for name, value in massage(self.root.outputs, []).items()}


async def _show(value: Any) -> Any:  # noqa: ANN401 - any stack output
    import pulumi

    if isinstance(value, pulumi.Output):
        return "[secret]" if await value.is_secret() else await _show(await value.future())
    if is_secret(value):
        return "[secret]"
    if isinstance(value, Mapping):
        return {key: await _show(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [await _show(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _monitor(gate: Gate, side: str, real: Any) -> Any:  # noqa: ANN401
    """Return the resource monitor as that outcome's program sees it."""
    from pulumi.runtime.proto import resource_pb2_grpc
    from pulumi.runtime.proto.resource_pb2 import RegisterResourceOutputsRequest

    class SideMonitor(resource_pb2_grpc.ResourceMonitorStub):  # the SDK asks for this class
        def __init__(self) -> None:
            self.__dict__.update(vars(real))
            self.RegisterResource = lambda request: gate.register(side, request)
            self.ReadResource = lambda request: gate.after(side, real.ReadResource, request)
            self.Call = lambda request: gate.after(side, real.Call, request)
            self.RegisterResourceOutputs = lambda request: gate.keep_outputs(side, request)

        @staticmethod
        def really_register_outputs(request: RegisterResourceOutputsRequest) -> None:
            real.RegisterResourceOutputs(request)

    return SideMonitor()


def _must_go_on() -> None:
    """Raise where the process ends: the interpreter waits for this program's thread before it lets anything else go.

    Raises:
        RuntimeError: nothing can be begun any more.
    """
    probe = asyncio.get_running_loop().run_in_executor(None, int)
    probe.cancel()


async def _within(event: asyncio.Event, seconds: float) -> bool:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(event.wait(), seconds)
    return event.is_set()


async def _end_all_but(tasks: set[asyncio.Task[Any]]) -> None:
    """End what the other outcomes' code still does; the SDK would stumble over their failures."""
    left = {task for task in asyncio.all_tasks() if task not in tasks and task is not asyncio.current_task()}
    for task in left:
        task.cancel()
    if left:
        await asyncio.wait(left, timeout=_END_S)
