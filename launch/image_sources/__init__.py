"""Where images come from: one file for each kind of registry; `registry.py` lists them."""
