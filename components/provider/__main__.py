"""`pulumi-resource-launch`: the engine starts it with its own address and reads our port from standard output."""

from __future__ import annotations

import asyncio
import os
import sys
from importlib import metadata

USAGE = """\
pulumi-resource-launch is a plugin of Pulumi: `pulumi up` finds it on PATH and starts it.
Usage: pulumi-resource-launch ENGINE_ADDRESS
       pulumi-resource-launch --schema    print the package schema
"""


def main() -> int:
    """Run the plugin; the process's exit code."""
    arguments = [argument for argument in sys.argv[1:] if argument not in {"--logtostderr", "--logflow"}]
    wanted = [argument for argument in arguments if not argument.startswith("-")]
    version = metadata.version("pulumi-launch")
    if arguments == ["--schema"]:
        from components.provider.registry import RESOURCES
        from components.provider.schema import package_schema

        sys.stdout.write(package_schema(RESOURCES, version) + "\n")
        return 0
    if not wanted:
        sys.stderr.write(USAGE)
        return 2

    from components.provider.provider import LaunchProvider
    from components.provider.registry import DRIFTING, RESOURCES
    from components.provider.server import serve

    provider = LaunchProvider(RESOURCES, version, drifting=DRIFTING)
    asyncio.run(serve(provider, version=version, engine=wanted[0]))
    # The threads of operations that did not answer in time would keep the process, and nobody waits for them.
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main())
