"""What `check` looks at besides the configuration itself."""

from __future__ import annotations

from collections.abc import Iterator

from launch.prepared import Prepared
from launch.watching import metric_names
from phases.errors import ConfigurationError
from phases.gates.base import Gate
from phases.kinds import PhaseKind
from phases.thresholds import OnInconclusive
from stacks import team
from stacks.ledger import describe


def check(prepared: Prepared) -> Iterator[str]:
    """Return every problem that would stop a launch or its rollback, one sentence each."""
    yield from prepared.undo_problems()
    if prepared.last is not None and prepared.last.owns:
        yield describe(prepared.entry.record or {})
    yield from configuration_problems(prepared)


def must_be_sound(prepared: Prepared) -> None:
    """Return where everything that the configuration names is there and can be read.

    Raises:
        ConfigurationError: something is not.
    """
    found = list(configuration_problems(prepared))
    if found:
        raise ConfigurationError("\n".join(found))


def configuration_problems(prepared: Prepared) -> Iterator[str]:
    """Return what is wrong with the files and programs that the configuration names, one sentence each."""
    from phases import synthetic

    root = prepared.config.root
    yield from prepared.platform.problems()
    yield from _metrics_problems(prepared)
    cluster = prepared.config.settings.kubernetes
    if cluster is not None and cluster.adopt is not None and prepared.situation.old is None:
        yield (
            f"launch:kubernetes.adopt names the Deployment {cluster.adopt.deployment!r}, which is no slot yet: "
            f"`python -m launch adopt {prepared.config.environment}` makes it the first one, untouched; or leave "
            "`adopt` out to begin beside it"
        )
    for phase in prepared.plan.phases:
        file = phase.spec.synthetic or prepared.config.settings.synthetic
        if file and phase.spec.kind is PhaseKind.HEALTH:
            try:
                synthetic.load(root / file)
            except (OSError, ValueError) as error:
                yield f"{error}"
    for phase in prepared.plan.phases:
        if phase.spec.program is not None:
            team.load(phase.spec.program, prepared.config.root)
        for validator in phase.spec.validators:
            yield from _own_problems(validator.gate, prepared)


def _own_problems(gate: Gate, prepared: Prepared) -> Iterator[str]:
    yield from (f"gate {gate.type}: {problem}" for problem in gate.problems(prepared.config.root))


def _metrics_problems(prepared: Prepared) -> Iterator[str]:
    settings, metrics = prepared.config.settings, prepared.config.settings.metrics
    if metrics is not None:
        problem = metrics.problem(names=metric_names(settings, settings.service.name), router=settings.router_kind)
        if problem is not None:
            yield f"launch:metrics: {problem}"
    elif settings.platform != "local":
        for phase in prepared.plan.phases:
            limits = phase.spec.thresholds or prepared.config.spec.rollback_threshold
            if phase.spec.kind is PhaseKind.TRAFFIC and limits.on_inconclusive is OnInconclusive.HOLD:
                yield (
                    f"phase {phase.id}: nothing says where the breaker reads what users meet, so it would hold until "
                    "its timeout and roll back; write launch:metrics: {address: URL}, or decide with "
                    "on_inconclusive"
                )
