"""The process in which Rego runs. It is started with a request on standard input and prints one JSON answer.

A process of its own, because the interpreter (rego-cpp) prints to standard output, ends its process on some mistakes
(`with` in version 1.5.2 does), cannot be interrupted, and shows policies the environment variables. Nothing of ours
is imported here: it starts in a few hundredths of a second.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

RULES = ("deny", "warn")


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """Return the values of `deny` and `warn` of every package, or what is broken.

    Args:
        request: `modules` (pairs of name and source), `packages`, `input`, `data`, and `strict`: whether an error in
            a built-in function breaks the policy, where plain Rego takes it for "undefined".
    """
    from regopy import Interpreter, RegoError
    from regopy.rego_shared import rego_free_output, rego_output_ok, rego_output_string, rego_query

    interpreter = Interpreter()
    interpreter.strict_built_in_errors = request["strict"]
    for name, source in request["modules"]:
        try:
            interpreter.add_module(name, source)
        except RegoError as error:
            return {"broken": str(error), "module": name}
    interpreter.add_data_json(json.dumps(request["data"]))
    # As text: the interpreter keeps its escapes, which it loses on values that are handed over one by one.
    interpreter.set_input_term(json.dumps(request["input"]))
    answers: dict[str, Any] = {}
    for package in request["packages"]:
        for rule in RULES:
            # Not `interpreter.query`: it raises on the texts that say what is wrong.
            output = rego_query(interpreter._impl, f"data.{package}.{rule}")  # noqa: SLF001
            text, ok = rego_output_string(output), rego_output_ok(output)
            rego_free_output(output)
            if text == "undefined":
                continue
            if not ok or not text.startswith("{"):
                return {"broken": text, "package": package, "rule": rule}
            answers.setdefault(package, {})[rule] = json.loads(text)["expressions"][0]
    return {"answers": answers}


def main() -> None:
    """Answer the one request; whatever the interpreter prints goes to standard error."""
    channel = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    json.dump(answer(json.load(sys.stdin)), channel)
    channel.flush()
    os._exit(0)  # past the interpreter's destructors: everything has been said


if __name__ == "__main__":
    main()
