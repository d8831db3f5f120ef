"""`Migration`: a database's schema at a revision, moved by Jobs in the cluster or by Alembic from here."""

from __future__ import annotations

import base64
import hashlib
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pulumi
from pulumi_kubernetes.core.v1 import Secret
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs

from components.kubernetes import names
from components.kubernetes.pods import container_security, pod_security
from components.kubernetes.provider import provider
from components.kubernetes.settings import KubernetesSettings
from components.local.resources import Revision
from components.platform import Placed, SchemaSpec

_log = logging.getLogger(__name__)

DATABASE_URL = "DATABASE_URL"
"""The environment variable in which a Job finds its database."""


class MigrationUnclear(ValueError):
    """The settings do not say how the schema is moved; `str()` says what is missing."""


class JobRevision(pulumi.CustomResource):
    """`launch:kubernetes:JobRevision`, see `components.provider.resources.job_revision`."""

    revision: pulumi.Output[str]
    previous: pulumi.Output[str]
    job: pulumi.Output[str | None]
    log: pulumi.Output[str | None]

    def __init__(self, name: str, props: Mapping[str, Any], opts: pulumi.ResourceOptions | None = None) -> None:
        outputs = ("previous", "initial", "attempted", "serial", "knows", "owner", "job", "log")
        super().__init__("launch:kubernetes:JobRevision", name, {**props, **dict.fromkeys(outputs)}, opts)


@dataclass(frozen=True, slots=True)
class MigrationArgs:
    """A schema and the revision it is to have.

    Attributes:
        settings: the cluster, and who moves the schema there.
        schema: the revision, the database and the release.
        directory: private directory on this machine, for Alembic's copies and snapshots.
    """

    settings: KubernetesSettings
    schema: SchemaSpec
    directory: Path


class Migration(pulumi.ComponentResource):
    """A schema at a revision.

    Attributes:
        revision: the revision it has.
        previous: the revision before the last change.
        log: the last lines of what the Job printed; None where no Job ran.

    Raises:
        MigrationUnclear: see the message.
    """

    revision: pulumi.Output[str]
    previous: pulumi.Output[str]
    log: pulumi.Output[str | None]

    def __init__(self, name: str, args: MigrationArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        by_job = args.settings.migration.kind == "job"
        props = job_props(args) if by_job else _alembic_props(args)
        super().__init__("launch:kubernetes:Migration", name, None, opts)
        if by_job:
            secrets = list(props["secrets"])
            if variables := _variables(args):
                secrets.append(_secret(args, variables, self).metadata.name)
            made = JobRevision(name, {**props, "secrets": secrets}, pulumi.ResourceOptions(parent=self))
            self.revision, self.previous, self.log = made.revision, made.previous, made.log
        else:
            moved = Revision(name, props, pulumi.ResourceOptions(parent=self))
            self.revision, self.previous = moved.revision, moved.previous
            self.log = pulumi.Output.from_input(None)
        self.register_outputs({"revision": self.revision, "previous": self.previous, "log": self.log})


def job_props(args: MigrationArgs) -> dict[str, Any]:
    """Return the inputs of the Job's resource, but for the Secret with its environment.

    Raises:
        MigrationUnclear: nothing names an image.
    """
    settings, schema = args.settings, args.schema
    job = settings.migration
    image = job.image or schema.image
    if not image:
        raise MigrationUnclear(
            "nothing names the image of the migration Job: give `image` in the migration's settings, or launch an "
            "image from a registry that the cluster pulls from"
        )
    props = {
        "kubeconfig": settings.kubeconfig,
        "context": settings.context,
        "namespace": settings.namespace,
        "service": schema.service,
        "revision": schema.revision,
        "image": image,
        "up": list(job.up),
        "down": list(job.down),
        "current": list(job.current),
        "startsAt": job.starts_at,
        "revisions": list(job.revisions or order_of(schema)),
        "secrets": [job.secret] if job.secret else [],
        "timeoutSeconds": job.timeout,
        "retries": job.retries,
        "keepSeconds": job.keep,
        "logLines": job.log_lines,
        "resources": {name: dict(amounts) for name, amounts in asdict(job.resources).items() if amounts},
        "podSecurity": pod_security(settings.slot.security),
        "containerSecurity": container_security(settings.slot.security),
        "annotations": dict(job.annotations),
        "serviceAccount": job.service_account,
        "imagePullSecrets": list(settings.slot.image_pull_secrets),
    }
    return {name: value for name, value in props.items() if value is not None}


def order_of(schema: SchemaSpec) -> Sequence[str]:
    """Return the revisions up to the release's, oldest first, where its Alembic scripts are at hand."""
    if not schema.scripts:
        return ()
    from components.schema import scripts
    from components.schema.errors import ScriptsError

    try:
        return tuple(reversed(scripts.path_down(schema.scripts, schema.revision)))
    except ScriptsError as error:
        _log.info("the order of revisions is not known from scripts: %s", error)
        return ()


def _alembic_props(args: MigrationArgs) -> dict[str, Any]:
    schema = args.schema
    if not schema.scripts:
        raise MigrationUnclear(
            "Alembic moves the schema from here, and there are no scripts of the release: give `scripts` under "
            "`launch:database`, or let a Job move it (`migration: {kind: job}`)"
        )
    return {
        "url": pulumi.Output.secret(schema.url),
        "scripts": schema.scripts,
        "revision": schema.revision,
        "directory": str(args.directory.absolute() / "schema"),
        "snapshot": schema.snapshot,
    }


def _variables(args: MigrationArgs) -> dict[str, str]:
    """Return the environment variables of a Job; any of them may be secret."""
    url = {DATABASE_URL: args.schema.url} if args.schema.url else {}
    return {**url, **args.settings.migration.environment}


def _secret(args: MigrationArgs, variables: Mapping[str, str], parent: pulumi.Resource) -> Secret:
    """Register the Secret with a Job's environment.

    Its content is in its name: the way back still has the database and the password that the way there had.
    """
    schema = args.schema
    content = json.dumps(variables, sort_keys=True).encode()
    # A slow hash: many may see the names of Secrets that they may not read.
    digest = hashlib.scrypt(content, salt=schema.service.encode(), n=2**12, r=8, p=1, dklen=4)
    name = f"{schema.service}-schema-{digest.hex()}"
    return Secret(
        name,
        pulumi.ResourceOptions(parent=parent),
        data=pulumi.Output.secret({key: base64.b64encode(value.encode()).decode() for key, value in variables.items()}),
        immutable=True,
        metadata=ObjectMetaArgs(
            name=name,
            namespace=args.settings.namespace,
            labels=names.of_service(schema.service),
            annotations=names.PATCH_FORCE if args.settings.force_conflicts else {},
        ),
    )


def place(settings: KubernetesSettings, spec: SchemaSpec, *, directory: Path) -> Placed:
    """Register the schema of a service; outputs `revision`, `previous` and `log`.

    Raises:
        MigrationUnclear: see the message.
    """
    opts = pulumi.ResourceOptions(providers=[provider(settings)])
    made = Migration(spec.service, MigrationArgs(settings, spec, directory), opts)
    return Placed(made, {"revision": made.revision, "previous": made.previous, "log": made.log})
