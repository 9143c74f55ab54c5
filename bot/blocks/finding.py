"""The answer: at most eight short lines, the verdict first, each observation with the links that reproduce it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from bot.blocks import limits
from bot.blocks.case import Case
from bot.blocks.excerpts import alike, glance, images
from bot.blocks.message import Block, Message, actions, button, context, message, section
from workers.domain import Claim, Confidence, Evidence, Finding, Used, Vote

GLYPH = {"high": "●", "medium": "◐", "low": "○"}
LEAD = {
    "incident": "",
    "false_alarm": "False alarm: ",
    "recovered": "Recovered: ",
    "inconclusive": "Inconclusive, strongest lead: ",
}
MOST_REFERENCES = 3
VOTE_WORDS: dict[Vote, str] = {"right": "right", "wrong": "wrong", "unsure": "can't tell"}


def render(case: Case) -> Message:
    """The living message once the investigation has ended with a finding."""
    answer = answer_lines(case)
    foot = footer(case)
    rest = [section(answer[1:])] if answer[1:] else []
    return message([*answer, foot], [section(answer[:1]), *rest, context([foot]), vote_buttons(case)])


def answer_lines(case: Case) -> list[str]:
    """Verdict, impact, two to four observations, what was not seen, the next check."""
    finding = _finding(case)
    lines = [verdict(case)]
    if finding.impact:
        lines.append(f"*Impact:* {claim(case, finding.impact, 300)}")
    lines += [f"•  {observation(case, same)}" for same in leading_evidence(finding, 4 if not finding.impact else 3)]
    lines += _unseen_and_ruled_out(case)
    lines += _next(case)
    return lines


def _finding(case: Case) -> Finding:
    assert case.finding, "rendered only when the investigation ended with a finding"
    return case.finding


def verdict(case: Case) -> str:
    finding = _finding(case)
    lead = LEAD[finding.verdict] if finding.causes or finding.verdict != "inconclusive" else "Inconclusive: "
    text = images(limits.one_line(finding.headline.text))
    if lead and text.lower().startswith(lead.split(":")[0].split(",")[0].lower()):
        lead = ""
    bold = limits.quoted(lead + text.replace("*", "∗"), 400)
    return f"*{bold}*   {believed(case)}".rstrip()


def believed(case: Case) -> str:
    """`● High (right 11 of 13 here)`: the band, what held it down, and how often this band was right before."""
    finding = _finding(case)
    if not finding.causes or finding.verdict in ("false_alarm",):
        return ""
    confidence = finding.causes[0].confidence
    reasons = [*_held_down(confidence), track_record(case, confidence.band)]
    return f"{GLYPH[confidence.band]} {confidence.band.capitalize()} ({'; '.join(r for r in reasons if r)})"


def _held_down(confidence: Confidence) -> Iterator[str]:
    if confidence.capped_by:
        yield limits.quoted(confidence.capped_by, 120)


def track_record(case: Case, band: str) -> str:
    right, total = case.record.get(band, (0, 0))
    return f"right {right} of {total} here" if total else "no record here yet"


def claim(case: Case, said: Claim, limit: int) -> str:
    references = " ".join(reference(case, e) for e in said.evidence[:MOST_REFERENCES])
    return f"{limits.quoted(said.text, limit)}  {references}".rstrip()


def reference(case: Case, evidence_id: str) -> str:
    return f"[{limits.link(case.page(evidence_id), evidence_id)}]"


def leading_evidence(finding: Finding, most: int) -> list[tuple[Evidence, ...]]:
    """What the first cause rests on, then what the headline rests on; what reads the same is one observation."""
    wanted = [*(finding.causes[0].evidence if finding.causes else ()), *finding.headline.evidence]
    known = {e.id: e for e in finding.evidence}
    return alike(known[i] for i in dict.fromkeys(wanted) if i in known)[:most]


def observation(case: Case, same: Sequence[Evidence], limit: int = 180) -> str:
    """The excerpt in the system's own words, its pages in Gumshoe, its place in the system."""
    first = same[0]
    pages = " ".join(reference(case, e.id) for e in same[:MOST_REFERENCES])
    source = f"  {limits.link(first.link, first.skill)} ↗" if first.link else ""
    return f"{glance(first.excerpt, limit)}  {pages}{source}"


def _unseen_and_ruled_out(case: Case) -> list[str]:
    finding = _finding(case)
    parts = []
    if finding.gaps:
        gaps = [f"{limits.brief(g.what, 80)} ({limits.brief(g.why, 80)})" for g in finding.gaps]
        parts.append(f"*Not seen:* {limits.some(gaps, 2, '; ')}")
    if finding.ruled_out:
        parts.append(f"*Ruled out:* {limits.some(_ruled_out(finding), 2, '; ')}")
    return [" · ".join(parts)] if parts else []


def _ruled_out(finding: Finding) -> list[str]:
    """`memory leak (flat for 7 days)`; what fell for one and the same reason shares it."""
    fallen: dict[str, list[str]] = {}
    for out in finding.ruled_out:
        name = limits.brief(_words(out.fault or out.change or "other"), 50)
        names = fallen.setdefault(limits.brief(out.why, 100), [])
        if name not in names:
            names.append(name)
    return [f"{limits.some(names, 3)} ({why})" for why, names in fallen.items()]


def _words(name: str) -> str:
    return name.replace("_", " ")


def _next(case: Case) -> list[str]:
    finding = _finding(case)
    parts = [f"*Next:* {command(finding.next[0])}"] if finding.next else []
    if case.owner():
        parts.append(f"owner: {limits.quoted(case.owner(), 60)}")
    if case.runbook():
        parts.append(f"runbook: {runbook(case.runbook())}")
    return [" · ".join(parts)] if parts else []


def command(text: str) -> str:
    """A check with its command ready to paste; a bare command becomes code."""
    line = limits.one_line(text)
    bare = line.split(" ")[0] in ("kubectl", "curl", "promtool", "logcli", "helm", "git", "psql", "redis-cli", "dig")
    return limits.code(line, 400) if bare and "`" not in line else limits.quoted(line, 400)


def runbook(where: str) -> str:
    label = where.rstrip("/").rsplit("/", 1)[-1] or "runbook"
    return limits.link(where, limits.plain(label, 40)) if "://" in where else limits.quoted(where, 80)


def footer(case: Case) -> str:
    """Cost, time, guidance, and what people said of it: the quiet acknowledgement of a reaction is a change here."""
    used = _finding(case).used
    guidance = [f'guidance "{limits.quoted(g.name, 60)}" v{g.version}' for g in used.guidance]
    parts = [spent(used), *guidance, limits.quoted(used.model, 40), "automated, read-only", *votes(case)]
    if case.incident.resolved_at:
        parts.append(f"alert resolved {case.incident.resolved_at:%H:%M} UTC")
    return " · ".join(p for p in parts if p)


def spent(used: Used) -> str:
    estimated = " (estimated)" if used.tokens_estimated and used.tokens else ""
    return f"{seconds(used.seconds)} · {tokens(used.tokens)} tokens{estimated} · ${dollars(used.dollars)}"


def seconds(value: float) -> str:
    if value < 10:
        return f"{value:.1f} s"
    return f"{value:.0f} s" if value < 120 else f"{int(value // 60)} min {int(value % 60)} s"


def tokens(value: int) -> str:
    return f"{value:,}" if value < 1000 else f"{value / 1000:.0f}k"


def dollars(value: float) -> str:
    return f"{value:.2f}" if value >= 0.01 or value == 0 else f"{value:.4f}"


def votes(case: Case) -> list[str]:
    counts = Counter(f.vote for f in case.feedback.values() if not f.withdrawn)
    return [f"{counts[v]} × {word}" for v, word in VOTE_WORDS.items() if counts[v]]


def vote_buttons(case: Case) -> Block:
    about = case.investigation.id if case.investigation else case.incident.id
    elements = [
        button("Right", "vote_right", about),
        button("Wrong", "vote_wrong", about),
        button("Can't tell", "vote_unsure", about),
    ]
    page = case.page(None)
    if page:
        elements.append(button("Evidence", "open_evidence", about, url=page))
    return actions(f"vote-{about}-{case.version}", elements)
