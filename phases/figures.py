"""The metrics that the breaker compares with limits, and how they are said to a person."""

from __future__ import annotations

ERROR_RATE = "error_rate"
LATENCY = "latency_p99_ms"
HEALTH = "health_check_failures"
RATIO = "error_ratio"


def name(metric: str) -> str:
    """Return what a person calls it."""
    names = {ERROR_RATE: "error rate", LATENCY: "p99 latency", HEALTH: "failed health checks", RATIO: "error ratio"}
    return names[metric]


def figure(metric: str, value: float) -> str:
    """Return a value with its unit."""
    match metric:
        case "error_rate":
            return f"{value:.2%}"
        case "latency_p99_ms":
            return f"{value:.0f} ms"
        case "health_check_failures":
            return f"{value:.0f} in a row"
        case _:
            return f"{value:.3g} times the old slot's"


def shown(metric: str, value: float) -> str:
    """Return both."""
    return f"{name(metric)} {figure(metric, value)}"
