"""`launch:local:Router`: a weighted HTTP router."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from components.provider import ownership
from components.provider.diff import compare
from components.provider.resource import Change, Context, Edit, Failure, Found, PartialFailure, ResourceFailure, Values
from components.provider.shape import ListOf, Number, Object, Properties, Property, String
from components.provider.unknown import UNKNOWN, Unknown, has_unknown

if TYPE_CHECKING:
    from components.local.runtime.router import RouterStatus
    from components.local.runtime.routing import Backend, Sticky

_BACKEND = Object(
    "launch:local:Backend",
    {
        "slot": Property(String(".+", "a name"), "Name of the slot, a label of its metrics."),
        "url": Property(String("https?://.+", "an http URL"), "Where the slot answers."),
        "weight": Property(Number(0, 100, whole=True), "Percent of the traffic; together 100, or all 0."),
    },
    "A slot behind the router.",
)
_STICKY = Object(
    "launch:local:Sticky",
    {
        "cookie": Property(String(), "Name of a cookie that keeps a user on a slot.", required=False),
        "header": Property(String(), "Name of a request header that does.", required=False),
    },
    "What keeps a user on one slot: a cookie or a header.",
)


class Router:
    """A router process that outlives the command; weights change without a restart."""

    description: ClassVar[str] = (
        "An HTTP reverse proxy that splits traffic between slots by weight, and reports per-slot metrics in "
        "Prometheus text format. Backends, weights and stickiness change in place, without dropping a request."
    )
    inputs: ClassVar[Properties] = {
        "directory": Property(
            String("/.*", "an absolute path"),
            "Absolute runtime directory of this router alone.",
            replaces=True,
        ),
        "host": Property(String(), "Address to listen on.", default="127.0.0.1"),
        "port": Property(
            Number(0, 65535, whole=True),
            "Port to listen on; 0: the system picks one, which then stays.",
            default=0,
        ),
        "backends": Property(ListOf(_BACKEND), "The slots behind it."),
        "sticky": Property(_STICKY, "What keeps a user on one slot.", required=False),
    }
    outputs: ClassVar[Properties] = {
        "url": Property(String(), "Where users reach it."),
        "admin": Property(String(), "URL of its own API: `/metrics` and `/config`."),
        "owner": Property(String(), "Tells this resource from an earlier one in the same directory."),
    }

    def check(self, inputs: Values, old: Values | None) -> list[Failure]:  # noqa: ARG002 - nothing outside counts
        """What the router itself would refuse: slots twice, weights that are not 100 together, odd addresses."""
        from components.local.runtime.routing import RouterConfig

        sticky = inputs.get("sticky")
        if isinstance(sticky, dict) and len(sticky) != 1:
            return [Failure("sticky", "should have either cookie or header")]
        if has_unknown(inputs["backends"]) or has_unknown(sticky):
            return []
        for name, given in (("backends", None), ("sticky", _sticky(inputs))):
            try:
                RouterConfig.build(_backends(inputs), given)
            except ValueError as error:
                return [Failure(name, str(error))]
        return []

    def diff(self, old: Values, new: Values) -> Change:
        """A change of `directory` replaces; port 0 means whatever port there is."""
        change = compare(self.inputs, old, new, ignore=("port",))
        changed = dict(change.changed)
        if isinstance(new["port"], Unknown) or new["port"] not in {0, old.get("port")}:
            changed["port"] = Edit.UPDATE
        # Two routers cannot listen on one port; with port 0 the new one comes first.
        return Change(changed, change.replaced, delete_before_replace=new["port"] != 0 and "port" not in changed)

    def preview(self, inputs: Values, old: Values | None) -> Values:
        """A port stays; a new one is known if it was asked for."""
        port = inputs["port"] or (old or {}).get("port", UNKNOWN)
        moved = old is None or port != old.get("port") or inputs["host"] != old.get("host")
        owner = UNKNOWN if old is None else old.get("owner")
        if not moved and old is not None:
            return {**inputs, "port": port, "url": old.get("url"), "admin": old.get("admin"), "owner": owner}
        return {**inputs, "port": port, "url": UNKNOWN, "admin": UNKNOWN, "owner": owner}

    def create(self, inputs: Values, context: Context) -> tuple[str, Values]:
        """Start the router, or take over the one that an earlier try started."""
        directory = Path(inputs["directory"])
        if ownership.foreign(directory):
            message = f"directory: {directory} holds other files; name a directory that is new or empty"
            raise ResourceFailure(message)
        owner = ownership.claim(directory / ownership.NAME)
        try:
            return str(directory), _outputs(inputs, _configure(directory, inputs), owner)
        except ResourceFailure:
            self.delete(str(directory), {"owner": owner}, context)
            raise

    def read(self, id: str, outputs: Values, inputs: Values) -> Found | None:  # noqa: A002
        """Ask the router itself; one that does not run is gone."""
        from components.local.runtime.router import router_status

        status = router_status(Path(id))
        if status is None:
            return None
        backends = [{"slot": backend.slot, "url": backend.url, "weight": backend.weight} for backend in status.backends]
        found = {**outputs, "directory": id, "backends": backends}
        owner = outputs.get("owner", "")
        if inputs:
            return Found(_outputs(found, status, owner))
        imported = {"directory": id, "host": _host(status.url), "port": status.port, "backends": backends}
        return Found(_outputs(imported, status, ownership.claim(Path(id) / ownership.NAME)), imported)

    def update(self, id: str, old: Values, new: Values, context: Context) -> Values:  # noqa: A002, ARG002
        """Give it the new weights; it is started again if it is gone."""
        kept = {name: old.get(name) for name in self.outputs}
        try:
            return _outputs(new, _configure(Path(id), new), kept["owner"])
        except ResourceFailure as failure:
            raise PartialFailure(str(failure), outputs={**new, "port": old.get("port", 0), **kept}) from failure

    def delete(self, id: str, outputs: Values, context: Context) -> None:  # noqa: A002, ARG002
        """Stop it and remove its directory, unless a newer resource has it now."""
        from components.local.runtime.router import stop_router

        directory = Path(id)
        if not directory.is_dir() or not ownership.owned(directory / ownership.NAME, outputs.get("owner")):
            return
        stop_router(directory)
        ownership.remove(directory)


def _configure(directory: Path, inputs: Values) -> RouterStatus:
    from components.local.runtime.router import RuntimeFailure, configure

    try:
        return configure(
            directory,
            host=inputs["host"],
            port=inputs["port"],
            backends=_backends(inputs),
            sticky=_sticky(inputs),
        )
    except RuntimeFailure as error:
        raise ResourceFailure(str(error)) from error


def _backends(inputs: Values) -> list[Backend]:
    from components.local.runtime.routing import Backend

    return [Backend(entry["slot"], entry["url"], entry["weight"]) for entry in inputs["backends"]]


def _sticky(inputs: Values) -> Sticky | None:
    from components.local.runtime.routing import Sticky

    sticky = inputs.get("sticky")
    return None if sticky is None else Sticky(cookie=sticky.get("cookie"), header=sticky.get("header"))


def _outputs(inputs: Values, status: RouterStatus, owner: Any) -> Values:  # noqa: ANN401 - an output
    return {**inputs, "port": status.port, "url": status.url, "admin": status.admin, "owner": owner}


def _host(url: str) -> str:
    from urllib.parse import urlsplit

    return urlsplit(url).hostname or ""
