"""The local platform: real processes, a real router, a real schema and real flags on this machine."""
