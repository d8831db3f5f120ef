"""What other users of a test's control plane may do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.cluster.rest import Rest
from tests.cluster.waiting import wait_until

_GROUP = "rbac.authorization.k8s.io"


def grant(rest: Rest, namespace: str, role: Mapping[str, Any], *, kind: str = "User", name: str) -> None:
    """What an administrator does with a Role: creates it and binds it to a user, or to a group (`kind="Group"`).

    The API server's authorizer follows roles and bindings by a watch and hears of new ones some time after they are
    written, so this waits until it allows the first thing that the role allows.
    """
    collection = f"/apis/{_GROUP}/v1/namespaces/{namespace}"
    rest.post(f"{collection}/roles", role)
    binding = {
        "metadata": {"name": role["metadata"]["name"]},
        "roleRef": {"apiGroup": _GROUP, "kind": "Role", "name": role["metadata"]["name"]},
        "subjects": [{"apiGroup": _GROUP, "kind": kind, "name": name}],
    }
    rest.post(f"{collection}/rolebindings", binding)

    rule = role["rules"][0]
    resource, _, subresource = rule["resources"][0].partition("/")
    asked = {
        "namespace": namespace,
        "verb": rule["verbs"][0],
        "group": rule["apiGroups"][0],
        "resource": resource,
        "subresource": subresource,
        "name": next(iter(rule.get("resourceNames", ())), ""),
    }
    who = {"user": name} if kind == "User" else {"user": "anybody", "groups": [name]}
    review = {"spec": {"resourceAttributes": asked, **who}}
    wait_until(lambda: rest.post("/apis/authorization.k8s.io/v1/subjectaccessreviews", review)["status"]["allowed"])
