"""A real S3 server for tests, with one bucket, on a port of the system's choice."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import boto3  # type: ignore[import-untyped]
from moto.server import ThreadedMotoServer

KEYS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}
"""What the server takes for credentials, as environment variables."""


@contextlib.contextmanager
def bucket() -> Iterator[str]:
    """Yield the bucket's URL as Pulumi writes it."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        client = boto3.client(
            "s3",
            endpoint_url=f"http://{host}:{port}",
            region_name="us-east-1",
            aws_access_key_id=KEYS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=KEYS["AWS_SECRET_ACCESS_KEY"],
        )
        client.create_bucket(Bucket="launches")
        client.close()
        yield f"s3://launches?endpoint={host}:{port}&disableSSL=true&s3ForcePathStyle=true&region=us-east-1"
    finally:
        server.stop()
