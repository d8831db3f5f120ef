"""What the parts cost, measured side by side in one run: `python -m bench [NAME]`."""
