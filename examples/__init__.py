"""Programs that use `launch`."""
