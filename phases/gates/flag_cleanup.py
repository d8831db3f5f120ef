"""`flag_cleanup`: whoever switches a release flag on for everybody has said who removes it, when and how."""

from __future__ import annotations

from typing import ClassVar

from phases.flag_audit import FlagRow, audit, owing
from phases.gates.base import Gate, GateContext
from phases.redact import redact_result
from phases.verdict import GateResult, failed, passed

_SHOWN = 20


class FlagCleanup(Gate):
    """No general availability while a release flag of this release lacks owner, expiry or cleanup, or has expired."""

    type: ClassVar[str] = "flag_cleanup"

    def check(self, context: GateContext) -> GateResult:
        """Look at the flags that this release uses; an expired flag that it does not use is only warned about."""
        return redact_result(_judge(context), context.secrets)


def _judge(context: GateContext) -> GateResult:
    used = set(context.release.flags)
    rows = owing(audit(context.flags.specs, context.flags.variants, context.clock.now().date()))
    bad = [row for row in rows if row.key in used]
    warnings = tuple(_sentence(row) for row in rows if row.key not in used and _expired(row))
    unknown = sorted(used - {spec.key for spec in context.flags.specs})
    evidence = {
        "flags": sorted(used),
        "owed": {row.key: list(row.owed) for row in bad[:_SHOWN]},
        "undefined": unknown[:_SHOWN],
    }
    if unknown:
        return failed(
            f"the release uses flag {unknown[0]!r}, which launch.yaml does not define", evidence, warnings=warnings
        )
    if bad:
        more = f" (and {len(bad) - 1} more flags)" if len(bad) > 1 else ""
        return failed(f"{_sentence(bad[0])}{more}; add it to the flag in launch.yaml", evidence, warnings=warnings)
    what = f"{len(used)} flag(s) have all they need" if used else "this release uses no flags"
    return passed(what, evidence, warnings=warnings)


def _expired(row: FlagRow) -> bool:
    return row.days_left is not None and row.days_left < 0


def _sentence(row: FlagRow) -> str:
    return f"release flag {row.key!r} lacks {', '.join(row.owed)}"
