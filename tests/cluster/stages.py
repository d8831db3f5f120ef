"""What the nodes of a test's control plane make of pods: kwok plays these stages, and runs nothing.

A pod behaves as its annotation `kwok.launch.dev/behave` says, or else as its first container's image says by a part
`/behave-NAME/` of its path (for tests whose only say is the artifact), or else well:

    ready       (default) becomes ready
    slow        becomes ready after three seconds
    hang        runs and never becomes ready
    crash       ends again and again: CrashLoopBackOff and a growing restart count
    image-pull  never starts: ImagePullBackOff
    complete    (default of a Job's pods) runs and succeeds
    fail        runs and fails

More annotations: `kwok.launch.dev/delay` (a Go duration, before `ready`, `complete` and `fail`),
`kwok.launch.dev/exit-code`, `kwok.launch.dev/reason` and `kwok.launch.dev/message` (of `crash` and `fail`). When the
annotation of a pod changes, the pod changes its ways.
"""

from __future__ import annotations

import json
from typing import Any

ANNOTATION = "kwok.launch.dev/behave"
BEHAVIOURS = ("ready", "slow", "hang", "crash", "image-pull", "complete", "fail")

_SLOW = "3s"
_RESTART_MILLISECONDS = 700

# jq, for each stage's condition.
_WORDS = """
def annotation($name): .metadata.annotations["kwok.launch.dev/" + $name];
def job: any(.metadata.ownerReferences[]?; .kind == "Job");
def by_image: .spec.containers[0].image | capture("/behave-(?<name>[a-z-]+)/") | .name;
def behave: annotation("behave") // by_image // (if job then "complete" else "ready" end);
def over: .metadata.deletionTimestamp != null or .status.phase == "Succeeded" or .status.phase == "Failed";
def ready: any(.status.conditions[]?; .type == "Ready" and .status == "True");
def waiting: .status.containerStatuses[0]?.state.waiting.reason;
def running: .status.containerStatuses[0]?.state.running != null;
"""

# Go templates, for each stage's new status.
_START = """
{{ $now := Now }}
{{ $annotations := or .metadata.annotations dict }}
{{ $exit := or (index $annotations "kwok.launch.dev/exit-code") "1" }}
{{ $reason := or (index $annotations "kwok.launch.dev/reason") "Error" }}
{{ $message := or (index $annotations "kwok.launch.dev/message") "" }}
{{ $restarts := 0 }}
{{ range .status.containerStatuses }}{{ $restarts = .restartCount }}{{ end }}
"""
_WHERE = """
hostIP: {{ NodeIPWith .spec.nodeName | Quote }}
{{ $meta := .metadata }}
podIP: {{ PodIPWith .spec.nodeName (or .spec.hostNetwork false) $meta.uid $meta.name $meta.namespace | Quote }}
startTime: {{ or .status.startTime $now | Quote }}
"""
_INITIALISED = """
initContainerStatuses:
{{ range .spec.initContainers }}
- name: {{ .name | Quote }}
  image: {{ .image | Quote }}
  imageID: {{ .image | Quote }}
  ready: true
  restartCount: 0
{{ if eq (or .restartPolicy "") "Always" }}
  started: true
  state: {running: {startedAt: {{ $now | Quote }}}}
{{ else }}
  state: {terminated: {exitCode: 0, reason: Completed, startedAt: {{ $now | Quote }}, finishedAt: {{ $now | Quote }}}}
{{ end }}
{{ end }}
"""


def pod_stages() -> list[dict[str, Any]]:
    """Everything that happens to pods."""
    terminated = (
        "terminated: {exitCode: {{ $exit }}, reason: {{ $reason | Quote }}, message: {{ $message | Quote }}, "
        "startedAt: {{ $now | Quote }}, finishedAt: {{ $now | Quote }}}"
    )
    completed = (
        "terminated: {exitCode: 0, reason: Completed, startedAt: {{ $now | Quote }}, finishedAt: {{ $now | Quote }}}"
    )
    running = "running: {startedAt: {{ $now | Quote }}}"
    back_off = "waiting: {reason: CrashLoopBackOff, message: back-off restarting failed container}"
    no_image = (
        "waiting: {reason: ImagePullBackOff, message: {{ printf "
        '"Back-off pulling image %q: not found" .image | Quote }}}'
    )
    crash = _status("Running", ready=False, state=back_off, last=terminated, restarts="{{ add $restarts 1 }}")
    return [
        {"metadata": {"name": "pod-delete"}, "spec": _spec("Pod", ".metadata.deletionTimestamp != null", delete=True)},
        _stage(
            "pod-ready",
            '(behave | . == "ready" or . == "slow") and (ready | not) and (over | not)',
            _status("Running", ready=True, state=running),
            delay=f'annotation("delay") // (if behave == "slow" then "{_SLOW}" else empty end)',
        ),
        _stage(
            "pod-hang",
            'behave == "hang" and (ready or (running | not)) and (over | not)',
            _status("Running", ready=False, state=running),
        ),
        _stage(
            "pod-crash",
            'behave == "crash" and waiting != "CrashLoopBackOff" and (over | not)',
            crash,
            event=("BackOff", "Back-off restarting failed container"),
        ),
        _stage(
            "pod-crash-again",
            'behave == "crash" and waiting == "CrashLoopBackOff" and (over | not)',
            crash,
            milliseconds=_RESTART_MILLISECONDS,
        ),
        _stage(
            "pod-image-pull",
            'behave == "image-pull" and waiting != "ImagePullBackOff" and (over | not)',
            _status("Pending", ready=False, state=no_image),
            event=("Failed", "Failed to pull image: not found"),
        ),
        _stage(
            "pod-run",
            '(behave | . == "complete" or . == "fail") and (running | not) and (over | not)',
            _status("Running", ready=True, state=running),
        ),
        _stage(
            "pod-complete",
            'behave == "complete" and running and (over | not)',
            _status("Succeeded", ready=False, state=completed),
            delay='annotation("delay")',
        ),
        _stage(
            "pod-fail",
            'behave == "fail" and running and (over | not)',
            _status("Failed", ready=False, state=terminated),
            delay='annotation("delay")',
        ),
    ]


def node_stages() -> list[dict[str, Any]]:
    """What happens to nodes: they get ready, with plenty of room, and with the address where kwok plays the kubelet."""
    template = """
{{ $now := Now }}
conditions:
{{ range NodeConditions }}
- type: {{ .type | Quote }}
  status: {{ .status | Quote }}
  reason: {{ .reason | Quote }}
  message: {{ .message | Quote }}
  lastHeartbeatTime: {{ $now | Quote }}
  lastTransitionTime: {{ $now | Quote }}
{{ end }}
addresses:
- {type: InternalIP, address: {{ NodeIP | Quote }}}
- {type: Hostname, address: {{ NodeName | Quote }}}
daemonEndpoints: {kubeletEndpoint: {Port: {{ NodePort }}}}
allocatable: {cpu: "640", memory: 2560Gi, pods: "10000"}
capacity: {cpu: "640", memory: 2560Gi, pods: "10000"}
nodeInfo:
  architecture: amd64
  bootID: ""
  containerRuntimeVersion: {{ printf "kwok://%s" Version | Quote }}
  kernelVersion: ""
  kubeProxyVersion: ""
  kubeletVersion: {{ printf "kwok-%s" Version | Quote }}
  machineID: ""
  operatingSystem: linux
  osImage: ""
  systemUUID: ""
phase: Running
"""
    return [_named("node-ready", _spec("Node", "(ready | not)", template))]


def document() -> str:
    """The file that kwok reads: one JSON document after the other, which is YAML too."""
    stages = [
        {"apiVersion": "kwok.x-k8s.io/v1alpha1", "kind": "Stage", **stage} for stage in (*node_stages(), *pod_stages())
    ]
    return "\n---\n".join(json.dumps(stage) for stage in stages) + "\n"


def _stage(
    name: str,
    when: str,
    template: str,
    *,
    delay: str = "",
    milliseconds: int = 0,
    event: tuple[str, str] | None = None,
) -> dict[str, Any]:
    return _named(name, _spec("Pod", when, template, delay=delay, milliseconds=milliseconds, event=event))


def _named(name: str, spec: dict[str, Any]) -> dict[str, Any]:
    return {"metadata": {"name": name}, "spec": spec}


def _spec(
    kind: str,
    when: str,
    template: str = "",
    *,
    delete: bool = False,
    delay: str = "",
    milliseconds: int = 0,
    event: tuple[str, str] | None = None,
) -> dict[str, Any]:
    """One stage: what it applies to (a condition in jq), and what comes then."""
    then: dict[str, Any] = {"delete": True} if delete else {"statusTemplate": template}
    if event is not None:
        then["event"] = {"type": "Warning", "reason": event[0], "message": event[1]}
    wait: dict[str, Any] = {"durationMilliseconds": milliseconds}
    if delay:
        wait["durationFrom"] = {"expressionFrom": f"{_WORDS} {delay}"}
    return {
        "resourceRef": {"apiGroup": "v1", "kind": kind},
        "selector": {"matchExpressions": [{"key": f"{_WORDS} {when}", "operator": "In", "values": ["true"]}]},
        "delay": wait,
        "next": then,
    }


def _status(phase: str, *, ready: bool, state: str, last: str = "", restarts: str = "{{ $restarts }}") -> str:
    """A pod's status in which every container is in the same state."""
    answer = '"True"' if ready else '"False"'
    reason = "" if ready else "PodCompleted" if phase == "Succeeded" else "ContainersNotReady"
    since = "lastTransitionTime: {{ $now | Quote }}"
    condition = f"- {{{since}, status: {answer}, reason: {json.dumps(reason)}, type: TYPE}}\n"
    initialised = f'- {{{since}, status: "True", reason: "", type: Initialized}}\n'
    gates = '{{ range .spec.readinessGates }}\n- {status: "True", type: {{ .conditionType | Quote }}}\n{{ end }}\n'
    started = "true" if "running" in state else "false"
    containers = (
        "containerStatuses:\n"
        "{{ range .spec.containers }}\n"
        "- name: {{ .name | Quote }}\n"
        "  image: {{ .image | Quote }}\n"
        "  imageID: {{ .image | Quote }}\n"
        f"  ready: {json.dumps(ready)}\n"
        f"  started: {started}\n"
        f"  restartCount: {restarts}\n"
        f"  state: {{{state}}}\n" + (f"  lastState: {{{last}}}\n" if last else "") + "{{ end }}\n"
    )
    return "".join(
        (
            _START,
            "conditions:\n",
            initialised,
            condition.replace("TYPE", "Ready"),
            condition.replace("TYPE", "ContainersReady"),
            gates,
            containers,
            _INITIALISED,
            _WHERE,
            f"phase: {phase}\n",
        )
    )
