"""Gates: one file each, settings and check together; `registry.py` lists them."""
