"""`feature_flag_evaluation`: the flags evaluate to what they should, through the OpenFeature SDK."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import BeforeValidator, ConfigDict, Field

from phases.flags import Value
from phases.gates import flag_provider
from phases.gates.base import FlagView, Gate, GateContext, Moment
from phases.gates.bounds import Unanswered, bounded
from phases.kinds import PhaseKind
from phases.model import Settings
from phases.redact import redact_result
from phases.same import same
from phases.verdict import GateResult, failed, inconclusive, passed

if TYPE_CHECKING:
    from openfeature.client import OpenFeatureClient

_SHOWN = 50
_UNKNOWN = frozenset({"PROVIDER_NOT_READY", "PROVIDER_FATAL", "GENERAL"})
"""Error codes that say nothing about the flag (https://openfeature.dev/specification/types#error-code)."""


class FlagContext(Settings):
    """For whom a flag is evaluated: the keys of an OpenFeature evaluation context, and the value expected there."""

    model_config = ConfigDict(extra="allow")

    targetingKey: str | None = None  # noqa: N815 - the name that OpenFeature gives it
    """Who or what is asked for, such as a user's id."""
    expected: Value | None = None
    """The value that is right here; without it, the flag's."""

    @property
    def attributes(self) -> dict[str, Any]:
        """Return everything else, as it was written."""
        return dict(self.model_extra or {})


class FlagCheck(Settings):
    """A flag and the value it should have."""

    key: str
    """Which flag."""
    expected: Value | None = None
    """The value that is right; without it, that of the variant which the flag should have at this moment."""
    contexts: tuple[FlagContext, ...] = ()
    """For whom it is evaluated; without any, for nobody in particular."""


def _flag(value: object) -> object:
    return {"key": value} if isinstance(value, str) else value


Check = Annotated[FlagCheck, BeforeValidator(_flag, json_schema_input_type=str | FlagCheck)]


@dataclass(frozen=True, slots=True)
class _Question:
    key: str
    expected: Value
    context: Mapping[str, Any]
    targeting_key: str | None

    @property
    def whom(self) -> str:
        keys = {"targetingKey": self.targeting_key} if self.targeting_key is not None else {}
        return ", ".join(f"{name}={value}" for name, value in {**keys, **self.context}.items())


@dataclass(frozen=True, slots=True)
class _Answer:
    question: _Question
    got: Any
    variant: str | None
    reason: str | None
    error: str | None
    message: str | None

    @property
    def unknown(self) -> bool:
        return self.error in _UNKNOWN

    @property
    def right(self) -> bool:
        return self.error is None and self.reason != "DISABLED" and same(self.got, self.question.expected)

    def sentence(self) -> str:
        what = f"flag {self.question.key!r}" + (f" for {self.question.whom}" if self.question.whom else "")
        if self.error == "FLAG_NOT_FOUND":
            return f"{what} is not there"
        if self.error is not None:
            return f"{what} cannot be evaluated: {self.error}" + (f", {self.message}" if self.message else "")
        if self.reason == "DISABLED":
            return f"{what} is disabled; expected {self.question.expected!r}"
        variant = f", variant {self.variant!r}" if self.variant else ""
        return f"{what} is {self.got!r}, expected {self.question.expected!r} (reason {self.reason}{variant})"

    def evidence(self) -> dict[str, Any]:
        shown = {
            "flag": self.question.key,
            "context": self.question.whom,
            "expected": self.question.expected,
            "got": None if self.error else self.got,
            "variant": self.variant,
            "reason": self.reason,
            "error": self.error,
        }
        return {name: value for name, value in shown.items() if value not in (None, "")}


class FeatureFlagEvaluation(Gate):
    """Asks a flag provider, as the service does, and compares what it answers."""

    type: ClassVar[str] = "feature_flag_evaluation"

    provider: str = Field(default=flag_provider.DEFAULT, pattern=r"^(openfeature|[\w.]+:\w+)$")
    """`openfeature` is flagd's provider, by default on the environment's flag file; or `package.module:Class`."""
    provider_config: Mapping[str, Any] = Field(default_factory=dict)
    """Keyword arguments of the provider's class."""
    flags: tuple[Check, ...] = Field(min_length=1)
    """The flags: a key, or a key with the value expected and the contexts to try."""

    @classmethod
    def moments(cls, kind: PhaseKind) -> frozenset[Moment]:
        """Return exit in a traffic phase, which switches flags on; entry elsewhere."""
        return frozenset({Moment.EXIT if kind is PhaseKind.TRAFFIC else Moment.ENTRY})

    @property
    def keys(self) -> tuple[str, ...]:
        """Return the keys of the flags that are asked for."""
        return tuple(flag.key for flag in self.flags)

    def problems(self, root: Path) -> tuple[str, ...]:
        """Return why the provider's class cannot be imported, if so."""
        del root
        if self.provider == flag_provider.DEFAULT:
            return ()
        try:
            flag_provider.locate(self.provider)
        except ValueError as error:
            return (str(error),)
        return ()

    def check(self, context: GateContext) -> GateResult:
        """Evaluate every flag in every context."""
        return redact_result(self._judge(context), context.secrets)

    def _judge(self, context: GateContext) -> GateResult:
        evidence: dict[str, Any] = {"provider": self.provider}
        questions = list(self._questions(context.flags))
        if lost := [question for question in questions if isinstance(question, str)]:
            return inconclusive(
                f"nothing says which value flag {lost[0]!r} should have: it is not among the flags of launch.yaml; "
                "define it there or give the gate `expected`",
                evidence,
            )
        asked = [question for question in questions if isinstance(question, _Question)]
        try:
            answers = bounded(context, lambda: self._ask(asked, context.flags.source))
        except (flag_provider.NotReady, ValueError) as error:
            return inconclusive(f"the flag provider is not ready: {error}", evidence)
        except Unanswered as reason:
            return inconclusive(f"the flag provider did not answer: {reason}", evidence)
        return self._verdict(answers, evidence)

    def _ask(self, questions: list[_Question], source: str | None) -> list[_Answer]:
        provider = flag_provider.create(self.provider, self.provider_config, source=source)
        with flag_provider.client(provider) as client:
            return [_evaluate(client, question) for question in questions]

    def _verdict(self, answers: list[_Answer], evidence: dict[str, Any]) -> GateResult:
        evidence["flags"] = [answer.evidence() for answer in answers[:_SHOWN]]
        wrong = [answer for answer in answers if not answer.right and not answer.unknown]
        unknown = [answer for answer in answers if answer.unknown]
        if wrong:
            more = f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
            return failed(wrong[0].sentence() + more, evidence)
        if unknown:
            return inconclusive(unknown[0].sentence(), evidence)
        keys = ", ".join(dict.fromkeys(self.keys))
        values = "value" if len(answers) == 1 else "values"
        return passed(f"{keys}: the {values} expected, in {len(answers)} evaluation(s)", evidence)

    def _questions(self, view: FlagView) -> Iterator[_Question | str]:
        """Yield what to ask; a key alone where nothing says what is right."""
        for flag in self.flags:
            usual = flag.expected if flag.expected is not None else _expected(view, flag.key)
            for whom in flag.contexts or (FlagContext(),):
                expected = whom.expected if whom.expected is not None else usual
                if expected is None:
                    yield flag.key
                else:
                    yield _Question(flag.key, expected, whom.attributes, whom.targetingKey)


def _expected(view: FlagView, key: str) -> Value | None:
    spec = next((spec for spec in view.specs if spec.key == key), None)
    return None if spec is None else spec.variants.get(view.variants.get(key, spec.default))


def _evaluate(client: OpenFeatureClient, question: _Question) -> _Answer:
    from openfeature.evaluation_context import EvaluationContext

    whom = EvaluationContext(question.targeting_key, dict(question.context))
    # Defaults that differ from what is expected: a provider that falls back to them never looks right.
    match question.expected:
        case bool(value):
            details: Any = client.get_boolean_details(question.key, not value, whom)
        case int(value):
            details = client.get_integer_details(question.key, value + 1, whom)
        case float(value):
            details = client.get_float_details(question.key, value + 1, whom)
        case str(value):
            details = client.get_string_details(question.key, value + "?", whom)
        case value:
            details = client.get_object_details(question.key, {"not": value}, whom)
    error = None if details.error_code is None else str(details.error_code.value)
    reason = None if details.reason is None else str(getattr(details.reason, "value", details.reason))
    return _Answer(question, details.value, details.variant, reason, error, details.error_message)
