"""The controllers that the race is run against, built from their Go modules: `python -m bench.peers.build`."""
