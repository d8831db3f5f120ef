"""`rollback_ready`: whether this launch can be undone is known before it changes anything."""

from __future__ import annotations

from typing import ClassVar

from phases.gates.base import Gate, GateContext
from phases.gates.bounds import Unanswered, bounded
from phases.redact import redact_result
from phases.verdict import GateResult, failed, inconclusive, passed

_SHOWN = 20


class RollbackReady(Gate):
    """Everything the launch would change can be put back: bytes still there, plugins installed, nothing one-way."""

    type: ClassVar[str] = "rollback_ready"

    def check(self, context: GateContext) -> GateResult:
        """Ask the stacks for what could not be put back."""
        return redact_result(_judge(context), context.secrets)


def _judge(context: GateContext) -> GateResult:
    try:
        problems = tuple(bounded(context, context.undo_problems))
    except Unanswered as reason:
        return inconclusive(f"it was not found out whether the launch could be undone: {reason}")
    except Exception as error:  # noqa: BLE001 - a backend that does not answer is not a launch that cannot be undone
        return inconclusive(f"it cannot be told whether the launch could be undone: {error}")
    if not problems:
        return passed("everything this launch changes can be put back")
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return failed(
        f"this launch could not be undone: {problems[0]}{more}",
        {"problems": list(problems[:_SHOWN]), "count": len(problems)},
    )
