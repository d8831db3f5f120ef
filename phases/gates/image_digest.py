"""`image_digest`: what is launched is what was asked for, before and after it is deployed."""

from __future__ import annotations

from typing import ClassVar

from phases.gates.base import Gate, GateContext, Moment
from phases.gates.bounds import Unanswered, bounded
from phases.kinds import PhaseKind
from phases.redact import redact_result
from phases.verdict import GateResult, Verdict, failed, inconclusive, passed


class ImageDigest(Gate):
    """The registry's artifact, and what then really runs in the new slot, have the digest that the release names."""

    type: ClassVar[str] = "image_digest"

    registry: str = ""
    """Which of the environment's registries to ask; without it, the one that images are deployed from."""
    verify: bool = True
    """False: nothing is compared. The digest that the launch pinned is what is deployed all the same."""

    @classmethod
    def moments(cls, kind: PhaseKind) -> frozenset[Moment]:
        """Return entry, and in a deploy phase exit too."""
        return frozenset({Moment.ENTRY, Moment.EXIT} if kind is PhaseKind.DEPLOY else {Moment.ENTRY})

    def check(self, context: GateContext) -> GateResult:
        """Compare the release's digest with the registry's on entry, and with the slot's wherever that is known."""
        if not self.verify:
            return passed("not compared: `verify` is false", {"digest": context.release.digest})
        result = self._registry(context) if context.moment is Moment.ENTRY else None
        if result is None or (result.verdict is Verdict.PASSED and context.deployed_digest is not None):
            result = _slot(context)
        return redact_result(result, context.secrets)

    def _registry(self, context: GateContext) -> GateResult:
        release = context.release
        evidence = {"image": release.image, "registry": self.registry, "expected": release.digest}
        registry = context.registries.get(self.registry)
        if registry is None:
            known = ", ".join(name for name in sorted(context.registries) if name) or "only its own"
            return failed(
                f"the environment {context.environment!r} knows no registry {self.registry!r} (it knows {known}); "
                "name one of these in the gate's `registry`, or leave that away",
                evidence,
            )
        try:
            found = bounded(context, lambda: registry.digest(release.image))
        except LookupError as error:
            return failed(f"{release.image} is not in the registry: {_text(error)}", evidence)
        except Unanswered as reason:
            return inconclusive(f"the registry did not say the digest of {release.image}: {reason}", evidence)
        except Exception as error:  # noqa: BLE001 - a registry that does not answer is not a wrong digest
            return inconclusive(f"the registry did not say the digest of {release.image}: {error}", evidence)
        evidence["registry_digest"] = found
        if found != release.digest:
            return failed(
                f"{release.image} is {found} in the registry, but the launch was started with {release.digest}; "
                "if the new one is meant, start again",
                evidence,
            )
        return passed(f"{release.image} is {_short(found)} in the registry, as the release says", evidence)


def _slot(context: GateContext) -> GateResult:
    release, found = context.release, context.deployed_digest
    evidence = {"image": release.image, "slot": context.slot, "expected": release.digest, "deployed_digest": found}
    where = f"slot {context.slot}" if context.slot else "the new slot"
    if found is None:
        return inconclusive(f"nothing says which digest runs in {where}", evidence)
    if found != release.digest:
        return failed(f"{where} runs {found}, but {release.image} is {release.digest}", evidence)
    return passed(f"{where} runs {_short(found)}, as the release says", evidence)


def _short(digest: str) -> str:
    return digest[:19]


def _text(error: LookupError) -> str:
    return str(error.args[0]) if error.args else type(error).__name__  # str(KeyError) would be in quotes
