"""The living message while an investigation runs: what is looked at, what stood out, how the belief changes."""

from __future__ import annotations

from bot.blocks import limits
from bot.blocks.case import Case
from bot.blocks.finding import command, reference
from bot.blocks.message import Block, Message, actions, button, context, message, section
from workers.domain import BeliefChange, Progress

MARK = {"new": "+", "strengthened": "▲", "weakened": "▽", "discarded": "✕"}
PHASE = {
    "queued": "waiting for a free worker",
    "first_look": "first look",
    "investigating": "investigating",
    "challenging": "challenging the leading cause",
    "concluding": "writing the answer",
    "done": "done",
}


def render(case: Case) -> Message:
    """Before the answer, or instead of it when there is none."""
    state = case.investigation.state if case.investigation else "queued"
    if state in ("stopped", "failed"):
        return _ended(case)
    progress = case.progress or Progress(phase="queued")
    head = f"*Looking into {subject(case)}*   {_phase(case, progress)}"
    body = [*_first_look(progress), *_beliefs(case, progress)]
    foot = _footer(progress)
    blocks: list[Block] = [section([head, *body]), context([foot]), _stop(case)]
    return message([head, *body, foot], blocks)


def _phase(case: Case, progress: Progress) -> str:
    by = case.investigation.stop_requested_by if case.investigation else None
    return f"stopping, asked by <@{limits.escape(by)}>" if by else PHASE[progress.phase]


def subject(case: Case) -> str:
    """`KubePodCrashLooping · cart · production`, or the question that a person asked."""
    if case.investigation and case.investigation.question:
        return f"“{limits.quoted(case.investigation.question, 200)}”"
    incident = case.incident
    parts = [incident.alert_type or incident.title, incident.service, incident.environment]
    return " · ".join(limits.quoted(p, 100) for p in dict.fromkeys(parts) if p)


def unreachable_lines(progress: Progress) -> list[str]:
    """Silence of a system that cannot be asked must not be taken for health."""
    return [f"*Cannot reach {limits.quoted(g.what, 60)}:* {limits.quoted(g.why, 160)}" for g in progress.unreachable]


def _first_look(progress: Progress) -> list[str]:
    seen = [f"•  {limits.quoted(s, 220)}" for s in progress.symptoms]
    more = [f"… ({len(seen) - 4} more)"] if len(seen) > 4 else []
    return [*unreachable_lines(progress)[:4], *seen[:4], *more]


def _beliefs(case: Case, progress: Progress) -> list[str]:
    return [belief_line(case, change) for change in progress.beliefs[-3:]]


def belief_line(case: Case, change: BeliefChange) -> str:
    references = " ".join(reference(case, e) for e in change.evidence[:3])
    said = f"{MARK[change.change]} {change.change}: {limits.quoted(change.text, 220)}"
    return f"{said}  {references}".rstrip()


def _footer(progress: Progress) -> str:
    parts = []
    if progress.doing:
        parts.append(f"now: {limits.quoted(progress.doing, 120)}")
    if progress.skills_on:
        parts.append(f"reads {limits.quoted(', '.join(progress.skills_on), 120)}")
    if progress.tool_calls:
        parts.append(f"{progress.tool_calls} queries")
    return " · ".join([*parts, "automated, read-only"])


def _stop(case: Case) -> Block:
    about = case.investigation.id if case.investigation else case.incident.id
    return actions(f"stop-{about}-{case.version}", [button("Stop", "stop", about)])


def _ended(case: Case) -> Message:
    """Stopped or failed without a finding: say why, and what had been seen."""
    assert case.investigation
    progress = case.progress or Progress(phase="done")
    by = case.investigation.stop_requested_by
    if case.investigation.state == "stopped":
        head = f"*Stopped{f' by <@{limits.escape(by)}>' if by else ''}: {subject(case)}*"
    else:
        reason = case.investigation.error or "an error on Gumshoe's side"
        head = f"*No answer: {subject(case)}*   {limits.quoted(reason, 300)}"
    seen = [*_first_look(progress), *_beliefs(case, progress)]
    again = f"Mention me in this thread to go on, e.g. {command('`@gumshoe look again`')}"
    page = case.page(None)
    foot = context([" · ".join([again, *([limits.link(page, "what was read")] if page else [])])])
    body = ["Until then it had seen:", *seen] if seen else []
    return message([head, *body, again], [section([head, *body]), foot])
