"""Policies in Rego over one document that holds the whole launch."""
