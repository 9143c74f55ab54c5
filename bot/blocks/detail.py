"""The rest of the answer, posted once beneath it: the chain, the alternatives, what was ruled out, all evidence."""

from __future__ import annotations

from bot.blocks import limits
from bot.blocks.case import Case
from bot.blocks.excerpts import alike, images
from bot.blocks.finding import command, observation, reference
from bot.blocks.message import Message, message, sections
from workers.domain import Cause, Finding

MOST_EVIDENCE = 20


def render(case: Case) -> Message:
    assert case.finding, "posted only with a finding"
    finding = case.finding
    groups = [
        _chain(case, finding),
        _causes(case, finding),
        _ruled_out(case, finding),
        _gaps(finding),
        _next(finding),
        _evidence(case, finding),
    ]
    lines = limits.lines_within(
        [line for group in groups for line in group], limits.MESSAGE_SUM - 500, ", on the evidence page"
    )
    page = case.page(None)
    if page:
        lines.append(limits.link(page, "Every query and its full result"))
    return message(lines, sections(lines))


def _references(case: Case, ids: tuple[str, ...]) -> str:
    return " ".join(reference(case, e) for e in ids[:4])


def _chain(case: Case, finding: Finding) -> list[str]:
    if not finding.chain:
        return []
    steps = [
        f"{limits.quoted(str(step.source), 120)} → {limits.quoted(str(step.target), 120)}  "
        f"{_references(case, step.evidence)}".rstrip()
        for step in finding.chain
    ]
    return ["*From the cause to what alerted*", *steps]


def _causes(case: Case, finding: Finding) -> list[str]:
    if not finding.causes:
        return []
    title = "*Cause*" if len(finding.causes) == 1 else "*Causes, likeliest first*"
    return [title, *(f"{n}. {_cause(case, cause)}" for n, cause in enumerate(finding.causes, 1))]


def _cause(case: Case, cause: Cause) -> str:
    onset = f", since {cause.onset:%Y-%m-%d %H:%M:%S} UTC" if cause.onset else ""
    change = "" if cause.change in ("none", "unknown") else f", change {limits.quoted(cause.change, 80)}"
    capped = f", held down: {limits.quoted(cause.confidence.capped_by, 120)}" if cause.confidence.capped_by else ""
    named = f"{cause.entity.kind} {cause.entity.name}: "  # the line begins with it already
    # Without its id: "E1" is a leaf of the vocabulary there, and the first piece of evidence one word further on.
    fault = limits.quoted(cause.fault.replace("_", " "), 80)
    return (
        f"{limits.quoted(str(cause.entity), 120)}: {limits.quoted(images(cause.summary.removeprefix(named)), 300)} "
        f"({fault}, {cause.confidence.band} {cause.confidence.value:.2f}{capped}{onset}{change})  "
        f"{_references(case, cause.evidence)}"
    ).rstrip()


def _ruled_out(case: Case, finding: Finding) -> list[str]:
    if not finding.ruled_out:
        return []
    seen: dict[str, tuple[str, ...]] = {}  # what was ruled out twice for one reason is one line with all its evidence
    for out in finding.ruled_out:
        name = limits.quoted((out.fault or out.change or "other").replace("_", " "), 80)
        said = f"✕ {name}: {limits.quoted(out.why, 240)}"
        seen[said] = tuple(dict.fromkeys((*seen.get(said, ()), *out.evidence)))
    return ["*Ruled out*", *(f"{said}  {_references(case, ids)}".rstrip() for said, ids in seen.items())]


def _gaps(finding: Finding) -> list[str]:
    if not finding.gaps:
        return []
    return ["*Not seen*", *(f"{limits.quoted(g.what, 160)}: {limits.quoted(g.why, 240)}" for g in finding.gaps)]


def _next(finding: Finding) -> list[str]:
    if not finding.next:
        return []
    return ["*Next checks*", *(f"{n}. {command(text)}" for n, text in enumerate(finding.next, 1))]


def _evidence(case: Case, finding: Finding) -> list[str]:
    if not finding.evidence:
        return []
    groups = alike(finding.evidence)
    shown = ["•  " + observation(case, same, 200) for same in groups[:MOST_EVIDENCE]]
    more = sum(map(len, groups[MOST_EVIDENCE:]))
    return ["*Evidence*", *shown, *([f"… ({more} more, on the evidence page)"] if more else [])]
