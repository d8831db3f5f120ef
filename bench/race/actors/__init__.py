"""Processes that see and act for the race, each with nothing else to do."""
