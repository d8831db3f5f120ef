"""Reading from registries of container images, by the OCI distribution API."""
