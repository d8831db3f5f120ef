"""Every resource of the provider by its type token."""

from __future__ import annotations

from components.provider.resource import Resource
from components.provider.resources.flag_file import FlagFile
from components.provider.resources.job_revision import JobRevision
from components.provider.resources.process import Process
from components.provider.resources.revision import Revision
from components.provider.resources.router import Router

RESOURCES: dict[str, type[Resource]] = {
    "launch:kubernetes:JobRevision": JobRevision,
    "launch:local:FlagFile": FlagFile,
    "launch:local:Process": Process,
    "launch:local:Router": Router,
    "launch:schema:Revision": Revision,
}

DRIFTING = frozenset({"launch:local:FlagFile", "launch:local:Process", "launch:local:Router"})
"""Those that the engine reads before every update, since a kill, a reboot or an editor changes them unseen."""
