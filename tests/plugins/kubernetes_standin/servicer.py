"""The engine's calls, answered.

See https://github.com/pulumi/pulumi/blob/master/proto/pulumi/provider.proto. An error is sent with the status UNKNOWN,
as Go's gRPC does with every error that is none of its own.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

import grpc  # type: ignore[import-untyped]
from google.protobuf.empty_pb2 import Empty  # type: ignore[import-untyped]
from google.protobuf.struct_pb2 import Struct  # type: ignore[import-untyped]
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc, status_pb2

from . import operations, planning, reading, values
from .api import Api, ApiError, Unreachable
from .difference import Change, Difference
from .errors import Failed, Partial
from .following import Cancellation, Cancelled
from .host import Host
from .kubeconfig import NoCluster, access, active_cluster
from .options import Options

VERSION = "4.34.2"
"""The version of the real plugin that this one stands in for."""

_Kinds = provider_pb2.PropertyDiff.Kind
_KINDS = {
    (Change.ADD, False): _Kinds.ADD,
    (Change.ADD, True): _Kinds.ADD_REPLACE,
    (Change.DELETE, False): _Kinds.DELETE,
    (Change.DELETE, True): _Kinds.DELETE_REPLACE,
    (Change.UPDATE, False): _Kinds.UPDATE,
    (Change.UPDATE, True): _Kinds.UPDATE_REPLACE,
}
_UNREACHABLE = "configured Kubernetes cluster is unreachable: "
_DESERTED = (
    "If the cluster was deleted, you can remove this resource from Pulumi state by rerunning the operation with the "
    'PULUMI_K8S_DELETE_UNREACHABLE environment variable set to "true"'
)
_WHERE = ("kubeconfig", "context", "cluster")

Answer = TypeVar("Answer")


def _answering(method: Callable[..., Answer]) -> Callable[..., Answer]:
    """Turn our exceptions into statuses that the engine understands."""

    @functools.wraps(method)
    def answer(self: Servicer, request: Any, context: Any) -> Answer:  # noqa: ANN401
        try:
            return method(self, request, context)
        except Partial as partial:
            _abort_partially(context, partial)
        except Cancelled:
            context.abort(grpc.StatusCode.UNKNOWN, "context canceled")
        except (Failed, ApiError, Unreachable, NoCluster, ValueError) as error:
            context.abort(grpc.StatusCode.UNKNOWN, str(error))
        raise AssertionError  # abort always raises

    return answer


def _abort_partially(context: Any, partial: Partial) -> None:  # noqa: ANN401
    detail = provider_pb2.ErrorResourceInitFailed(id=partial.resource_id, reasons=partial.reasons)
    values.write(partial.outputs, detail.properties)
    if partial.inputs is not None:
        values.write(partial.inputs, detail.inputs)
    code = grpc.StatusCode.UNKNOWN
    status = status_pb2.Status(code=code.value[0], message=str(partial))
    status.details.add().Pack(detail)
    context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
    context.abort(code, str(partial))


def _struct(properties: values.Object) -> Struct:
    return values.write(properties, Struct())


class Servicer(provider_pb2_grpc.ResourceProviderServicer):
    """One provider, configured once.

    Args:
        host: the engine.
    """

    def __init__(self, host: Host) -> None:
        self._host = host
        self._cancellation = Cancellation()
        self._options = Options()
        self._api: Api | None = None
        self._unreachable = "the provider is not configured"

    def GetPluginInfo(self, request: Any, context: Any) -> plugin_pb2.PluginInfo:  # noqa: ANN401, N802 - protocol
        """Say the version."""
        del request, context
        return plugin_pb2.PluginInfo(version=VERSION)

    def GetSchema(self, request: Any, context: Any) -> provider_pb2.GetSchemaResponse:  # noqa: ANN401, N802
        """Say the package's name; its schema has 20 MB and no program needs it."""
        del request, context
        return provider_pb2.GetSchemaResponse(schema=f'{{"name": "kubernetes", "version": "{VERSION}"}}')

    def Attach(self, request: Any, context: Any) -> Empty:  # noqa: ANN401, N802
        """Learn where the engine is."""
        del context
        self._host = Host(request.address)
        return Empty()

    def Cancel(self, request: Any, context: Any) -> Empty:  # noqa: ANN401, N802
        """End all waiting."""
        del request, context
        self._cancellation.cancel()
        return Empty()

    @_answering
    def CheckConfig(self, request: Any, context: Any) -> provider_pb2.CheckResponse:  # noqa: ANN401, N802
        """Take the configuration as it is."""
        del context
        return provider_pb2.CheckResponse(inputs=request.news)

    @_answering
    def DiffConfig(self, request: Any, context: Any) -> provider_pb2.DiffResponse:  # noqa: ANN401, N802
        """Say what differs; everything is replaced where it is another cluster."""
        del context
        old, new = values.read(request.olds), values.read(request.news)
        changed = sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))
        response = provider_pb2.DiffResponse
        if not changed:
            return response(changes=response.DIFF_NONE)
        unknown = [name for name in _WHERE if new.get(name) is values.UNKNOWN]
        replaces = unknown or ([name for name in _WHERE if name in changed] if _is_other(old, new) else [])
        identifiers = old.get("clusterIdentifier"), new.get("clusterIdentifier")
        if all(identifiers):
            replaces = [] if identifiers[0] == identifiers[1] else ["clusterIdentifier"]
        return response(changes=response.DIFF_SOME, diffs=changed, replaces=replaces)

    @_answering
    def Configure(self, request: Any, context: Any) -> provider_pb2.ConfigureResponse:  # noqa: ANN401, N802
        """Connect; a cluster that is not there matters only once something is asked of it."""
        del context
        self._options = Options.read(request.variables)
        chosen = self._options
        try:
            where = access(
                chosen.kubeconfig, context=chosen.context, cluster=chosen.cluster, namespace=chosen.namespace
            )
            api = Api(where)
            api.request("GET", "/version")
        except (NoCluster, ValueError) as error:
            self._unreachable = f"unable to load Kubernetes client configuration from kubeconfig file. {error}"
        except (Unreachable, ApiError) as error:
            self._unreachable = f"unable to load schema information from the API server: {error}"
        else:
            self._api, self._unreachable = api, ""
        return provider_pb2.ConfigureResponse(
            acceptSecrets=True, supportsPreview=True, supports_autonaming_configuration=True
        )

    def _place(self, urn: str) -> operations.Place:
        if self._api is None:
            raise Failed(_UNREACHABLE + self._unreachable)

        def log(severity: str, message: str) -> None:
            self._host.log(severity, message, urn, passing=True)

        return operations.Place(urn, self._api, self._options, self._cancellation, log)

    @_answering
    def Check(self, request: Any, context: Any) -> provider_pb2.CheckResponse:  # noqa: ANN401, N802
        """Return the inputs to use."""
        del context
        if self._api is None and self._options.skip_unreachable:
            return provider_pb2.CheckResponse(inputs=request.olds)
        mode, proposed = provider_pb2.CheckRequest.AutonamingOptions.Mode, None
        asked = request.autonaming if request.HasField("autonaming") else None
        if asked is not None and asked.mode in (mode.ENFORCE, mode.PROPOSE):
            proposed = asked.proposed_name
        disabled = asked is not None and asked.mode == mode.DISABLE
        names = planning.Naming(request.randomSeed, proposed, disabled=disabled)
        old, given = values.read(request.olds), values.read(request.news)
        namespace = self._api.namespace if self._api else self._options.namespace
        inputs = planning.checked(request.urn, old, given, names, self._api, namespace)
        return provider_pb2.CheckResponse(inputs=_struct(inputs))

    @_answering
    def Diff(self, request: Any, context: Any) -> provider_pb2.DiffResponse:  # noqa: ANN401, N802
        """Say what differs from what is recorded."""
        del context
        old, given = values.read(request.olds), values.read(request.news)
        plan = planning.plan(request.urn, old, given, list(request.ignoreChanges), self._api, self._options)
        response = provider_pb2.DiffResponse
        return response(
            changes=response.DIFF_SOME if plan.found or plan.replaces else response.DIFF_NONE,
            replaces=plan.replaces,
            deleteBeforeReplace=plan.delete_first,
            detailedDiff={one.text: _detail(one) for one in plan.found},
            hasDetailedDiff=True,
        )

    @_answering
    def Create(self, request: Any, context: Any) -> provider_pb2.CreateResponse:  # noqa: ANN401, N802
        """Create, and wait until it is ready."""
        del context
        if request.preview and self._api is None:
            return provider_pb2.CreateResponse(properties=request.properties)
        made, outputs = operations.create(
            self._place(request.urn), values.read(request.properties), preview=request.preview, seconds=request.timeout
        )
        return provider_pb2.CreateResponse(id=made, properties=_struct(outputs))

    @_answering
    def Update(self, request: Any, context: Any) -> provider_pb2.UpdateResponse:  # noqa: ANN401, N802
        """Update, and wait until it is ready."""
        del context
        if request.preview and self._api is None:
            return provider_pb2.UpdateResponse(properties=request.news)
        outputs = operations.update(
            self._place(request.urn),
            values.read(request.olds),
            values.read(request.news),
            list(request.ignoreChanges),
            preview=request.preview,
            seconds=request.timeout,
        )
        return provider_pb2.UpdateResponse(properties=_struct(outputs))

    @_answering
    def Read(self, request: Any, context: Any) -> provider_pb2.ReadResponse:  # noqa: ANN401, N802
        """Read the live state."""
        del context
        if self._api is None:
            self._host.log("warning", _UNREACHABLE + self._unreachable, request.urn)
            if self._options.delete_unreachable:
                return provider_pb2.ReadResponse()
            if self._options.skip_unreachable:
                return provider_pb2.ReadResponse(id=request.id, properties=request.properties, inputs=request.inputs)
            raise Failed(f"failed to read resource state due to unreachable cluster. {_DESERTED}")
        state, inputs = values.read(request.properties), values.read(request.inputs)
        found = reading.read(self._place(request.urn), request.id, state, inputs)
        if found is None:
            return provider_pb2.ReadResponse()
        return provider_pb2.ReadResponse(id=found[0], properties=_struct(found[1]), inputs=_struct(found[2]))

    @_answering
    def Delete(self, request: Any, context: Any) -> Empty:  # noqa: ANN401, N802
        """Delete, and wait until it is gone."""
        del context
        if self._api is None:
            if self._options.delete_unreachable:
                return Empty()
            raise Failed(f"configured Kubernetes cluster is unreachable. {_DESERTED}")
        state = values.read(request.properties)
        operations.delete(self._place(request.urn), request.id, state, seconds=request.timeout)
        return Empty()

    @_answering
    def Invoke(self, request: Any, context: Any) -> provider_pb2.InvokeResponse:  # noqa: ANN401, N802
        """Refuse: the functions are about Helm, Kustomize and YAML files."""
        del context
        raise Failed(f'the stand-in plugin for Kubernetes has no function "{request.tok}"')


def _detail(one: Difference) -> provider_pb2.PropertyDiff:
    return provider_pb2.PropertyDiff(kind=_KINDS[one.change, one.replaces], inputDiff=one.change is Change.DELETE)


def _is_other(old: values.Object, new: values.Object) -> bool:
    def cluster(properties: values.Object) -> values.Object | None:
        where = {name: str(values.plain(properties.get(name)) or "") for name in _WHERE}
        return active_cluster(where["kubeconfig"], context=where["context"], cluster=where["cluster"])

    before, after = cluster(old), cluster(new)
    return before is not None and after is not None and before != after
