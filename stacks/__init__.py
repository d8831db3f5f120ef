"""The only door to the Automation API: programs, replay, ledger."""
