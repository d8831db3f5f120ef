"""Who takes part; `registry.py` lists them."""
