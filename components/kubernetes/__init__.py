"""Kubernetes: a slot is a Deployment and its Service; users are split by a route's weights."""
