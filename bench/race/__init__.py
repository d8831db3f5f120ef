"""The race: from a breach to safety, `launch` beside the controllers of the field, on one control plane.

`python -m bench race`; docs/benchmarks.md tells what is measured, and how.
"""
