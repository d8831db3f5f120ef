"""Which image is launched, and what an image is called."""

from __future__ import annotations

from collections.abc import Iterator

from launch.configuration.located import Located
from launch.configuration.names import FORM, is_image
from launch.configuration.problems import Problem, shown
from launch.configuration.variables import IMAGE, Variables
from phases.kinds import PhaseKind
from phases.spec import LaunchSpec
from phases.verbs import Deploy


def argument_problem(variables: Variables) -> str | None:
    """Return what is wrong with an image from the command line or the environment, None where nothing is."""
    image = variables.get(IMAGE)
    if image is None or is_image(image):
        return None
    if IMAGE in variables.sets:
        source = f"--set {IMAGE}"
    elif variables.image:
        source = "--image"
    else:
        source = f"the environment variable {IMAGE}" if variables.environ.get(IMAGE) else f"launch:variables.{IMAGE}"
    return f"{source}: found {shown(image)}; an image is written {FORM}."


def problems(spec: LaunchSpec, tree: Located, variables: Variables, *, needed: bool) -> Iterator[Problem]:
    """Find images that are none, a deploy phase without one, and an `--image` that no phase would deploy."""
    asked = variables.get(IMAGE)
    deployed = []
    for number, phase in enumerate(spec.phases):
        for moment in ("execute", "rollback"):
            action = getattr(phase.actions, moment)
            keys = ("phases", number, "actions", moment)
            if not isinstance(action, Deploy):
                continue
            if action.image and not is_image(action.image):
                yield Problem(tree.mark(keys), f"found {shown(action.image)}; an image is written {FORM}")
            if moment == "execute" and not action.image and needed:
                yield Problem(
                    tree.mark(keys), f"deploy names no image; write {FORM}, or ${{{IMAGE}}} for that of --image"
                )
        if phase.kind is PhaseKind.DEPLOY and phase.program is None:
            image = phase.actions.execute.image if isinstance(phase.actions.execute, Deploy) else asked
            deployed.append((number, image))
            if image is None and phase.actions.execute is None and needed:
                yield Problem(
                    tree.mark(("phases", number)), "nothing says which image to deploy; give one with --image NAME:TAG"
                )
    if variables.image and deployed and all(image not in (None, variables.image) for _, image in deployed):
        keys = ("phases", deployed[0][0], "actions", "execute")
        yield Problem(
            tree.mark(keys),
            f"found the image {deployed[0][1]}, so that --image {variables.image} would change nothing; write "
            f"deploy --image ${{{IMAGE}}} here, or leave --image away",
        )


def launched(spec: LaunchSpec, variables: Variables) -> str:
    """Return the image that a launch brings to users: what its first deploy phase deploys, else what was asked for.

    A launch that deploys nothing is about the image that runs already; empty where there is none.
    """
    for phase in spec.phases:
        if phase.kind is PhaseKind.DEPLOY and isinstance(phase.actions.execute, Deploy):
            return phase.actions.execute.image
    return variables.get(IMAGE) or variables.previous_image or ""


def replaced(spec: LaunchSpec, image: str) -> LaunchSpec:
    """Return the sequence with another image in its first deploy phase, if that names one."""
    phases = list(spec.phases)
    for number, phase in enumerate(phases):
        if phase.kind is PhaseKind.DEPLOY and isinstance(phase.actions.execute, Deploy):
            actions = phase.actions.model_copy(update={"execute": Deploy(image)})
            phases[number] = phase.model_copy(update={"actions": actions})
            break
    return spec.model_copy(update={"phases": tuple(phases)})
