"""Component resources, one folder a platform, and the provider plugin."""
