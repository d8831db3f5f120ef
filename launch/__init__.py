"""Takes a release to its users phase by phase, as Pulumi stack updates."""

__version__ = "0.1.0"
