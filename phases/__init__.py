"""The engine of a launch: states, plan, loop, gates, breaker. It knows nothing of Pulumi."""
