"""`python -m bench [NAME]`: run all benchmarks, or one, and print a JSON line for each figure."""

from __future__ import annotations

import importlib
import sys

REGISTRY = {
    "armed": "bench.armed",
    "breach": "bench.breach",
    "overhead": "bench.overhead",
    "router": "bench.router",
    "scale": "bench.scale",
    "startup": "bench.startup",
    "race": "bench.race.race",  # the last: it takes most of an hour
}
"""Name -> module with `run() -> Iterator[Measurement]`."""


def main(arguments: list[str]) -> int:
    """Print the figures of the benchmarks that are named, or of all."""
    unknown = [name for name in arguments if name not in REGISTRY]
    if unknown:
        print(f"no benchmark {', '.join(unknown)}; there are {', '.join(sorted(REGISTRY))}", file=sys.stderr)
        return 2
    for name in arguments or REGISTRY:
        for measurement in importlib.import_module(REGISTRY[name]).run():
            print(measurement.to_json(), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
