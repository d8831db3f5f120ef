"""`pulumi-resource-launch`: the engine starts it with its own address and reads our port from standard output."""

from __future__ import annotations

import os
import sys

USAGE = """\
pulumi-resource-launch is a plugin of Pulumi: `pulumi up` finds it on PATH and starts it.
Usage: pulumi-resource-launch ENGINE_ADDRESS
       pulumi-resource-launch --schema    print the package schema
"""


def main() -> int:
    """Run the plugin; the process's exit code."""
    arguments = [argument for argument in sys.argv[1:] if argument not in {"--logtostderr", "--logflow"}]
    wanted = [argument for argument in arguments if not argument.startswith("-")]
    if arguments == ["--schema"]:
        return _print_schema()
    if not wanted:
        sys.stderr.write(USAGE)
        return 2

    from components.provider.relay import hand_over

    code = hand_over(wanted[0])
    if code is None:
        _serve(wanted[0])
    return code or 0


def _print_schema() -> int:
    from components.provider.registry import RESOURCES
    from components.provider.schema import package_schema

    sys.stdout.write(package_schema(RESOURCES, _version()) + "\n")
    return 0


def _serve(engine: str) -> None:
    from components.provider.server import run

    run(_version(), engine)
    # The threads of operations that did not answer in time would keep the process, and nobody waits for them.
    os._exit(0)


def _version() -> str:
    from importlib import metadata

    return metadata.version("pulumi-launch")


if __name__ == "__main__":
    sys.exit(main())
