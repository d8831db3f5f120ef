"""The local platform's own processes: a supervisor for each slot and a weighted HTTP router.

Nothing here imports Pulumi: these daemons outlive the command that starts them, so they have to start fast and
stay small. `supervisor` and `router` are the sides a caller uses; `supervise` and `route` are the daemons.
"""
