"""From the cause to what alerted: the edges of the chain, and whether the root is grounded by a path."""

from __future__ import annotations

from skills.contract import Entity
from workers.domain import Finding
from workers.evaluation.grading.causes import entity_exact
from workers.evaluation.sameness import is_entity, is_step, parse, spelt
from workers.llm.entities import same_thing
from workers.simulation import Truth
from workers.simulation.scenario import TrueCause

Edge = tuple[str, str]


def edge_f1(finding: Finding, truth: Truth) -> float | None:
    """F1 of the submitted edges against the true ones, after aliasing. None when the cause is what alerted itself."""
    true = {edge for cause in truth.causes for edge in cause.chain}
    if not true:
        return None
    said = submitted(finding, truth)
    met = len(said & true)
    return 2 * met / (len(said) + len(true)) if met else 0.0


def submitted(finding: Finding, truth: Truth) -> set[Edge]:
    """The finding's edges, each end in the truth's spelling where it is a step of the truth."""
    return {
        (a, b)
        for link in finding.chain
        if (a := _canonical(link.source, truth)) != (b := _canonical(link.target, truth))
    }


def _canonical(said: Entity, truth: Truth) -> str:
    """A step of the chain by its own name first: the culprit's aliases may be steps (a flag goes by its user)."""
    steps = sorted({step for cause in truth.causes for edge in cause.chain for step in edge})
    if step := next((step for step in steps if is_step(said, step)), None):
        return step
    return next((spelt(c.entity) for c in truth.causes if is_entity(said, c.entity)), str(said))


def grounded(finding: Finding, truth: Truth) -> float | None:
    """1 when the root is right and a submitted path from it to what alerted is a sub-path of the truth."""
    right = entity_exact(finding, truth)
    if not right:
        return right
    said = submitted(finding, truth)
    return float(any(_grounded(said, finding.causes[0].entity, cause, truth) for cause in truth.causes))


def _grounded(said: set[Edge], root: Entity, cause: TrueCause, truth: Truth) -> bool:
    if not is_entity(root, cause.entity):
        return False
    path = [spelt(cause.entity), *(b for _, b in cause.chain)]
    ends = [i for i, step in enumerate(path) if alerted(step, truth)] or [len(path) - 1]
    # Nothing to travel when the culprit is what alerted.
    starts = {0, *(i for i, step in enumerate(path) if is_step(root, step))}
    return 0 in ends or any(_reaches(said, path[: end + 1], starts) for end in ends)


def _reaches(said: set[Edge], path: list[str], starts: set[int]) -> bool:
    """Whether edges that only go forward along this path lead from the root, under any of its names, to the end."""
    reached = set(starts)
    for i in range(len(path)):
        if i in reached:
            reached |= {j for j in range(i + 1, len(path)) if (path[i], path[j]) in said}
    return len(path) - 1 in reached


def alerted(step: str, truth: Truth) -> bool:
    """Whether a step of the chain is what the alert is about."""
    labels = dict(pair.split("=", 1) for pair in truth.alerted.split() if "=" in pair)
    kinds = {"service": "Service", "deployment": "Deployment", "pod": "Pod", "node": "Node"}
    place = labels.get("namespace")
    about = [
        Entity(kind=kinds[key], namespace=None if key == "node" else place, name=value)
        for key, value in labels.items()
        if key in kinds
    ]
    return any(same_thing(one, parse(step)) for one in about)
