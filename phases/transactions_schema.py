"""The JSON schema of a file of synthetic transactions, for editors: `python -m phases.transactions_schema`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from phases import durations
from phases.described import Described
from phases.transactions import TRANSACTIONS

FILE = Path(__file__).with_name("synthetic.schema.json")
_DIALECT = "http://json-schema.org/draft-07/schema#"  # the one that editors' YAML support knows best


def schema() -> dict[str, Any]:
    """Return the schema."""
    made = TRANSACTIONS.json_schema(by_alias=True, schema_generator=Described)
    timeout = made["$defs"]["Transaction"]["properties"]["timeout"]
    timeout["default"] = durations.show(timeout["default"])
    return {"$schema": _DIALECT, "title": "Synthetic transactions of a launch", "minItems": 1, **made}


def text() -> str:
    """Return the schema as its file holds it."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


def main() -> None:
    """Write the file."""
    FILE.write_text(text(), encoding="utf-8")


if __name__ == "__main__":
    main()
