"""What an image is called."""

from __future__ import annotations

import re

_PART = r"[A-Za-z0-9]+(?:[._-]+[A-Za-z0-9]+)*"
# As in the distribution specification, with a registry's host and port in front:
# https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pulling-manifests
_IMAGE = re.compile(
    rf"(?:{_PART}(?::[0-9]+)?/)?{_PART}(?:/{_PART})*(?::[A-Za-z0-9_][A-Za-z0-9_.-]{{0,127}}|@sha256:[0-9a-f]{{64}})"
)
FORM = "NAME:TAG or NAME@sha256:HEX with 64 hexadecimal digits"


def is_image(text: str) -> bool:
    """Return whether a text names one image: by tag or by digest, not by name alone."""
    return _IMAGE.fullmatch(text) is not None
