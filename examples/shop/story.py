"""What the demo tells in the end, for somebody who sees this for the first time. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from examples.shop.build import ABOUT
from phases.errors import EXIT_COMPLETED, EXIT_INCOMPLETE, EXIT_INTERRUPTED, EXIT_ROLLED_BACK

WIDTH = 78
_ENDS = {
    EXIT_COMPLETED: "COMPLETED",
    EXIT_ROLLED_BACK: "ROLLED BACK",
    EXIT_INCOMPLETE: "ROLLBACK INCOMPLETE",
    EXIT_INTERRUPTED: "INTERRUPTED",
}


def tell(
    version: str,
    code: int,
    *,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    reason: str,
    users: Mapping[str, Any],
) -> Iterator[str]:
    """Return the lines of the summary.

    Args:
        version: what was launched.
        code: exit code of the launch.
        before: `launch status` before it.
        after: and after it.
        reason: why the launch ended as it did.
        users: figures of the load generator; empty where there were no users yet.
    """
    yield "-" * WIDTH
    yield f"shop:{version}: {_ENDS.get(code, f'exit code {code}')}"
    yield ""
    if code:
        yield from _row("Why", reason)
    if code == EXIT_ROLLED_BACK:
        yield from _row("Who noticed", _guard(reason))
    yield from _users(version, users)
    yield from _now(after)
    if code == EXIT_ROLLED_BACK:
        yield from _row("Unchanged", _unchanged(before, after))
    yield ""
    yield from _next(version, code, after)
    yield "-" * WIDTH


def live(status: Mapping[str, Any]) -> str | None:
    """Return the image that most users have; None where there are none."""
    slots = [slot for slot in status.get("traffic", ()) if slot["weight"] > 0]
    found = max(slots, key=lambda slot: slot["weight"], default=None)
    return None if found is None else str(found["image"])


def _users(version: str, users: Mapping[str, Any]) -> Iterator[str]:
    if not users.get("requests"):
        yield from _row("Users", "none yet: this was the first launch here")
        return
    yield from _row("Users", f"{users['requests']:,} requests in {users['seconds']:.0f} s while it went on")
    for name, counts in users["versions"].items():
        text = f"shop:{name} answered {counts['requests']:,}, p99 {counts['p99_ms']:.0f} ms"
        yield from _row("", text + (f", {counts['failed']} of them failed" if counts["failed"] else ""))
    if not users["failed"]:
        yield from _row("Failed", "none")
        return
    if users["earned"]:
        yield from _row(
            "Failed", f"{users['earned']} by the version's own doing, while shop:{version} had its share of the users"
        )
    kinds = ", ".join(f"{count} {kind}" for kind, count in users["on_the_way_by_kind"].items())
    yield from _row("" if users["earned"] else "Failed", f"{kinds or 'none'} from shifting the traffic")


def _now(after: Mapping[str, Any]) -> Iterator[str]:
    weights = ", ".join(f"{slot['weight']}% {slot['image']}" for slot in after["traffic"] if slot["weight"])
    flags = ", ".join(f"{flag['key']} {flag['state']}" for flag in after["flags"])
    revision = (after.get("schema") or {}).get("revision")
    yield from _row("Users have", weights or "nothing")
    yield from _row("Flags", flags or "none")
    yield from _row("Schema", f"revision {revision}" if revision else "none")
    if after.get("url"):
        yield from _row("Listens on", str(after["url"]))


def _unchanged(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    same = {
        "image": live(before) == live(after),
        "flags": before["flags"] == after["flags"],
        "schema": before["schema"] == after["schema"],
    }
    changed = [name for name, equal in same.items() if not equal]
    if changed:
        return f"not everything: {', '.join(changed)} differ from before; `python -m launch status dev` shows more"
    return "image, weights, flags and schema are as they were before"


def _guard(reason: str) -> str:
    for word, guard in (
        ("breaker", "the breaker: it reads the router's metrics while users are at risk, and nobody has to be awake"),
        ("schema_compatibility", "the gate schema_compatibility: it reads each statement of the migration beforehand"),
        ("http_status", "the gate http_status: it asks the new slot before it has users"),
        ("synthetic", "the synthetic transactions: they use the new slot before users do"),
    ):
        if word in reason:
            return guard
    return "a gate of the sequence in launch.yaml"


def _next(version: str, code: int, after: Mapping[str, Any]) -> Iterator[str]:
    yield "What to try next"
    if code == EXIT_INCOMPLETE or after["state"] in ("RUNNING", "PAUSED"):
        yield _hint(".venv/bin/python -m launch resume dev", "finish what this launch has begun")
    if after.get("url"):
        yield _hint(f"curl {after['url']}", "what users see")
    yield _hint(".venv/bin/python -m launch status dev", "what runs, and who has it")
    for name, about in ABOUT.items():
        if name not in ("1.0", "2.0", version):
            yield _hint(f"make up VERSION={name}", about)
    yield _hint("make down", "stop everything and destroy it")
    if code:
        yield ""
        yield f"make calls exit code {code} an error; for a launch, {code} means: {_ENDS.get(code, 'failed').lower()}."


def _hint(command: str, about: str) -> str:
    return f"  {command:<38} {about}"


def _row(title: str, text: str) -> Iterator[str]:
    """One line, or several: text that is too long goes on below itself."""
    room = WIDTH - 16
    words, line = text.split(), ""
    for word in words:
        if line and len(line) + 1 + len(word) > room:
            yield f"  {title:<13} {line}"
            title, line = "", word
        else:
            line = f"{line} {word}" if line else word
    yield f"  {title:<13} {line}"
