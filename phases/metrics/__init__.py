"""Where the breaker reads the users' experience: one file for each kind of source; `registry.py` lists them."""
