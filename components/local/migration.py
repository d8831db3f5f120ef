"""`Migration`: a database's schema at a certain revision, moved there by Alembic."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi

from components.local.resources import Revision


@dataclass(frozen=True, slots=True)
class MigrationArgs:
    """A schema and the revision it is to have.

    Attributes:
        url: SQLAlchemy URL of the database; pass one with a password as `pulumi.Output.secret(...)`.
        scripts: absolute path of the Alembic script directory.
        revision: id of a revision, or `base` for an empty schema.
        directory: absolute directory for snapshots.
        snapshot: keep a restorable copy before every change, for migrations that have no way down.
    """

    url: pulumi.Input[str]
    scripts: pulumi.Input[str]
    revision: pulumi.Input[str]
    directory: pulumi.Input[str]
    snapshot: pulumi.Input[bool] = False


class Migration(pulumi.ComponentResource):
    """A schema at a revision.

    Attributes:
        resource: the resource behind it.
        revision: the revision it has.
        previous: the revision before the last change.
        snapshot_file: the copy made before the last change, if one was asked for.
    """

    resource: Revision
    revision: pulumi.Output[str]
    previous: pulumi.Output[str]
    snapshot_file: pulumi.Output[str | None]

    def __init__(self, name: str, args: MigrationArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("launch:local:Migration", name, None, opts)
        self.resource = Revision(
            name,
            {
                "url": args.url,
                "scripts": args.scripts,
                "revision": args.revision,
                "directory": args.directory,
                "snapshot": args.snapshot,
            },
            pulumi.ResourceOptions(parent=self),
        )
        self.revision = self.resource.revision
        self.previous = self.resource.previous
        self.snapshot_file = self.resource.snapshot_file
        self.register_outputs(
            {"revision": self.revision, "previous": self.previous, "snapshotFile": self.snapshot_file}
        )
