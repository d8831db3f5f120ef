"""What somebody with a script has: polls the metric, and calls `pulumi up` when it is over the limit."""

from __future__ import annotations

import os
from typing import Any

from pulumi import automation as auto

from bench.race.actors.actor import heard, say
from bench.race.conditions import LIMIT, POLL_SECONDS, QUERY, WEIGHT
from bench.race.kept import Asked


def main() -> None:
    """Put users on the new version; watch until the breach, then take them off again."""
    orders = heard()
    share = WEIGHT

    def program() -> None:
        import pulumi
        import pulumi_kubernetes as kubernetes

        provider = kubernetes.Provider("kubernetes", kubeconfig=orders["kubeconfig"])
        route = orders["routes"][str(share)]
        kubernetes.apiextensions.CustomResource(
            route["metadata"]["name"],
            api_version=route["apiVersion"],
            kind=route["kind"],
            metadata={**route["metadata"], "annotations": {"pulumi.com/patchForce": "true"}},
            spec=route["spec"],
            opts=pulumi.ResourceOptions(provider=provider),
        )

    stack = _stack(orders, program)
    stack.up()
    say(ready=True)
    at = Asked(orders["prometheus"], QUERY).wait_until_over(LIMIT, POLL_SECONDS)
    share = 0
    stack.up()
    say(at=at)


def _stack(orders: dict[str, Any], program: Any) -> auto.Stack:  # noqa: ANN401
    environ = {
        "PATH": os.environ["PATH"],
        "PULUMI_BACKEND_URL": orders["backend"],
        "PULUMI_CONFIG_PASSPHRASE": "bench",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
    }
    return auto.create_or_select_stack(
        "race", project_name="bench", program=program, opts=auto.LocalWorkspaceOptions(env_vars=environ)
    )


if __name__ == "__main__":
    main()
