"""What the Rego interpreter says when a policy is wrong, as a sentence with file and line."""

from __future__ import annotations

import re
from collections.abc import Sequence

from phases.policy.files import PolicyFile

_PRINTED = re.compile(r"^(?P<message>\S[^\n]*)\n-- (?P<file>[^\n]+?):(?P<line>\d+):\d+$", re.MULTILINE)
"""`Invalid else in set rule`, then `-- p/x.rego:2:1`."""
_NODE = re.compile(r"\(error \d+:(?P<file>[^\n]+?)\|(?P<offset>\d+)\|\d+\s*\(errormsg \d+:(?P<message>[^\n]*)\)")
_MESSAGE = re.compile(r"\(errormsg \d+:(?P<message>[^\n]*)\)")
_FUNCTION = re.compile(r"^Function not found: (?P<name>[\w.]+)$")


def explain(broken: str, printed: str, files: Sequence[PolicyFile]) -> str:
    """Return `file:line: what is wrong`, with as much of it as can be known.

    Args:
        broken: the interpreter's error text.
        printed: what it printed meanwhile.
        files: the policies that were given to it.
    """
    if match := _PRINTED.search(printed):
        return f"{match['file']}:{match['line']}: {match['message']}"
    if match := _NODE.search(broken):
        return f"{match['file']}:{_line(match['file'], int(match['offset']), files)}: {match['message']}"
    if match := _MESSAGE.search(broken):
        return _function(match["message"], files) or match["message"]
    return (
        "a built-in function was given something it cannot use, or two rules give one name different values "
        "(the interpreter does not say where)"
    )


def _line(name: str, offset: int, files: Sequence[PolicyFile]) -> int:
    source = next((file.source for file in files if file.name == name), "")
    return source.encode()[:offset].count(b"\n") + 1


def _function(message: str, files: Sequence[PolicyFile]) -> str | None:
    """Return where a function that does not exist is called: that message comes without a place."""
    match = _FUNCTION.match(message)
    if match is None:
        return None
    call = re.compile(rf"(?<![\w.]){re.escape(match['name'])}\s*\(")
    for file in files:
        if found := call.search(file.source):
            line = file.source.count("\n", 0, found.start()) + 1
            return f"{file.name}:{line}: there is no function {match['name']}"
    return None
