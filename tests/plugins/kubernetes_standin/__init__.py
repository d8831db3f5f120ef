"""A stand-in for `pulumi-resource-kubernetes`, Pulumi's resource plugin for Kubernetes, for tests and benchmarks.

The real plugin is a Go program of 150 MB that is downloaded from where neither CI nor a machine without the internet
can reach. This one answers the engine's same calls against the same API server, so that programs written with
`pulumi-kubernetes` run unchanged and fail unchanged. Where the real one is on PATH, tests use that one.

What it does as the real plugin (4.29 and later) does:

- create by POST, or by server-side apply with `upsertExistingObjects`; update by reading the live object, taking over
  the fields of kubectl and of POST (a JSON patch of the managed fields, also where there is nothing to take over), and
  server-side apply; the three requests one after the other. Conflicts fail unless forced.
- diff of the new inputs with the live state that was recorded, cut to the shape of the old inputs; replacement where
  Kubernetes has immutable fields, before deletion where the name is fixed; names made up where there is none.
- previews by dry run; reading for refresh and import; deletion in the foreground until the object is gone.
- waiting for Deployments, StatefulSets, DaemonSets, Pods, Jobs, Services, Ingresses, PersistentVolumeClaims, the
  annotations `pulumi.com/waitFor`, `skipAwait` and `timeoutSeconds`; what failed to become ready stays recorded.
- Patch resources; secrets stay secrets; ignoreChanges; CustomResources of any CustomResourceDefinition.

What it does not do: Helm charts and releases, Kustomize, YAML functions, rendering to a directory, client-side apply
(`enableServerSideApply: false` is refused), exec credentials, `list`, deprecation warnings, and the schema.
"""
