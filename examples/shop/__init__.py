"""The demo service, its versions, and the demo itself."""
