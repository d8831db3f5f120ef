"""Which release this is."""

VERSION = "2.0"
