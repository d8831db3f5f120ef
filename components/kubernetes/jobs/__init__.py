"""Jobs that move a schema: what they are made of, which way they go, how they are watched."""
