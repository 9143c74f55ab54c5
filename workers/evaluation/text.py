"""A summary as text for a terminal, and as the Markdown table of the README. The worst defect comes first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from workers.evaluation import figures, judges, judging, register, standing
from workers.evaluation.grading.marks import SCORES
from workers.evaluation.matrices import COLUMNS, Row, Transition
from workers.evaluation.results import Run
from workers.evaluation.standing import Standing
from workers.evaluation.summary import Line, Summary

COLUMNS_OF_LINES = ("precision", "entity", "leaf", "onset", "change", "evidence")


def report(
    run: Run, parts: Sequence[tuple[Summary, Sequence[Row], Sequence[Transition]]], admitted: str = register.UNKNOWN
) -> str:
    """`admitted`: how many of the cases the library admits, in words."""
    lines = [f"{len(run.results)} investigations, gumshoe {run.version} ({run.code}), findings {run.digest}"]
    if run.stopped:
        lines.append(f"NOT COMPLETE: {run.stopped}")
    lines.append(f"scenarios admitted: {admitted}")
    for summary, rows, moves in parts:
        lines += ["", *_first_screen(summary), "", *_variant(summary), "", *heat(rows), "", *moves_in_words(moves)]
    return "\n".join(lines) + "\n"


def _first_screen(it: Summary) -> Iterator[str]:
    """Where it is good, where it is learning, where it is out of reach; the worst defect before all else."""
    yield f"== {it.variant}: {it.cases} cases over {it.leaves} leaves, {it.repeats} repeat{'s' * (it.repeats > 1)}"
    yield ""
    yield f"High and wrong: {len(it.high_and_wrong)}"
    for bad in it.high_and_wrong:
        yield f"  {bad.key.split('|')[0]}: said {bad.said}, true {bad.truth}"
    for key, why in it.broken:
        yield f"  BROKEN {key}: {why}"
    yield f"right (pass@1): {figures.interval(it.passed)}"
    if "restraint" in it.scores:
        yield f"silent where nothing is wrong (restraint): {figures.interval(it.scores['restraint'])}"
    if it.rivals:
        best = max(it.rivals, key=lambda r: r.entity.value)
        chance = f"; chance {it.chance_entity:.1%}" if it.chance_entity is not None else ""
        yield (
            f"better than the best guess (“{best.name}”, {figures.share(best.entity.value)}) by"
            f" {figures.signed(best.lift)} points{chance}"
        )
    yield from standing.lines(it.standing)


def _variant(it: Summary) -> Iterator[str]:
    yield "-- in detail"
    if it.pass_power_k is not None:
        yield f"pass^{it.repeats}               {figures.share(it.pass_power_k)}"
    for name in ("passed", "precision"):
        if name in it.macro_leaf:
            yield f"macro by leaf        {figures.interval(it.macro_leaf[name])}  {name}"
            yield f"macro by group       {figures.interval(it.macro_group[name])}  {name}"
    yield ""
    for name, says in SCORES.items():
        if name in it.scores:
            yield f"{name:12} {figures.interval(it.scores[name]):28} {says}"
    yield ""
    yield from _calibration(it)
    yield ""
    yield from _rivals(it)
    yield ""
    yield from _judges()
    yield ""
    cost = it.cost
    yield (
        f"median {cost.seconds:.2f} s (p95 {cost.seconds_p95:.2f} s), {cost.tokens:.0f} tokens, ${cost.dollars:.4f}"
        f" each (${cost.total_dollars:.2f} in all), {cost.tool_calls:.1f} calls, {cost.bytes_read / 1e6:.2f} MB read"
    )
    yield f"{cost.tool_errors} tool errors, {cost.invalid_calls} invalid and {cost.repeated_calls} repeated calls"
    if it.repeated_tries:
        yield f"{it.repeated_tries} investigations tried again on a busy machine, {len(it.disturbed)} of them in vain"
    yield f"{len(it.suspected)} signs that the model suspects a simulation"
    for key, sentence in it.suspected:
        yield f"  {key.split('|')[0]}: {sentence}"
    for title, lines in (
        ("group", it.groups), ("kind", it.kinds), ("alert type", it.alert_types), ("leaf", it.leaf_lines)
    ):  # fmt: skip
        yield ""
        yield from _table(title, lines, it.standing)
    if it.missed:
        yield ""
        yield "not passed:"
        for key, truth, said in it.missed:
            yield f"  {key.split('|')[0]}: said {said}; true {truth}"


def _judges() -> Iterator[str]:
    """No score stands here without labels of people: `gumshoe eval judge --labels` measures a judge first."""
    for name in judging.CRITERIA:
        it = judges.quality(())
        yield f"judge {name}: {it.state} ({it.why}); no score is shown"


def _calibration(it: Summary) -> Iterator[str]:
    if it.brier is None:
        return
    yield f"calibration          Brier {it.brier:.3f}"
    for each in it.reliability:
        yield f"  {each.label:8} stated {each.stated:.0%}, right {figures.interval(each.right)}"


def _rivals(it: Summary) -> Iterator[str]:
    if not it.rivals:
        return
    yield "guessers             right entity            with the commonest leaf   Gumshoe's lift in points"
    for rival in it.rivals:
        yield (
            f"  {rival.name:18} {figures.interval(rival.entity):23} {figures.share(rival.joint):25}"
            f" {figures.signed(rival.lift)}"
        )
    if it.chance_entity is not None and it.chance_joint is not None:
        yield f"  {'chance':18} {it.chance_entity:.1%}{'':19} {it.chance_joint:.2%}"


def _table(title: str, lines: Sequence[Line], by: Standing) -> Iterator[str]:
    said = standing.verdicts(title, by)
    wide = max([len(title), *(len(line.name) for line in lines)], default=0)
    yield f"{title:{wide}}  {'pass@1':24}" + "".join(f"{c:>10}" for c in COLUMNS_OF_LINES) + "  verdict" * bool(said)
    for line in lines:
        scores = "".join(f"{figures.share(line.scores[c]):>10}" for c in COLUMNS_OF_LINES)
        yield f"{line.name:{wide}}  {figures.interval(line.passed):24}{scores}  {said.get(line.name, '')}".rstrip()


def heat(rows: Sequence[Row]) -> Iterator[str]:
    wide = max((len(row.name) for row in rows), default=4)
    yield f"{'task':{wide}}  " + "".join(f"{c:>18}" for c in COLUMNS)
    for row in rows:
        cells = (f"{figures.cell(c, row.cells[c])}{_n(row, c)}" for c in COLUMNS)
        yield f"{row.name:{wide}}  " + "".join(f"{c:>18}" for c in cells)


def _n(row: Row, column: str) -> str:
    cell = row.cells[column]
    return f" (n {cell.n}{', few' if cell.few else ''})" if cell.n else ""


def moves_in_words(moves: Sequence[Transition]) -> Iterator[str]:
    yield "last good step -> first failed step"
    for move in moves:
        yield f"  {len(move.keys):4}  {move.last_good} -> {move.first_failed}"
    if not moves:
        yield "  nothing failed"


def markdown(run: Run, parts: Sequence[Summary], admitted: str = register.UNKNOWN) -> str:
    """The README's table."""
    made = f"on {run.began_at:%Y-%m-%d} with gumshoe {run.version}"
    out = [
        f"{len(run.results)} investigations {made}, findings `{run.digest}`.",
        "",
        "| | " + " | ".join(it.variant for it in parts) + " |",
        "|---" * (len(parts) + 1) + "|",
    ]

    def row(name: str, cells: Sequence[str]) -> None:
        out.append(f"| {name} | " + " | ".join(cells) + " |")

    row("scenarios admitted", [admitted] * len(parts))
    row("cases, leaves", [f"{it.cases}, {it.leaves}" for it in parts])
    row("pass@1", [figures.interval(it.passed) for it in parts])
    row("macro by leaf", [figures.interval(it.macro_leaf.get("passed")) for it in parts])
    row("macro by group", [figures.interval(it.macro_group.get("passed")) for it in parts])
    for name in SCORES:
        if name != "passed" and any(name in it.scores for it in parts):
            row(f"{name}: {SCORES[name]}", [figures.interval(it.scores.get(name)) for it in parts])
    row("High and wrong", [str(len(it.high_and_wrong)) for it in parts])
    row("signs that it suspects a simulation", [str(len(it.suspected)) for it in parts])
    row("Brier", [f"{it.brier:.3f}" if it.brier is not None else "-" for it in parts])
    for band in ("high", "medium", "low"):
        bins = [next((b for b in it.reliability if b.label == band), None) for it in parts]
        row(f"{band} is right", [figures.interval(b.right) if b else "-" for b in bins])
    for rival in parts[0].rivals if parts else ():
        twins = [next((r for r in it.rivals if r.name == rival.name), None) for it in parts]
        said = [f"{figures.share(r.entity.value)}; lift {figures.signed(r.lift)} points" if r else "-" for r in twins]
        row(f"guesser “{rival.name}”: right entity", said)
    row("chance: right entity", [f"{it.chance_entity:.1%}" if it.chance_entity is not None else "-" for it in parts])
    row("median seconds, tokens", [f"{it.cost.seconds:.1f}, {it.cost.tokens:.0f}" for it in parts])
    out += ["", "| group | cases | pass@1 | precision | evidence | verdict |", "|---|---|---|---|---|---|"]
    for line in parts[0].groups if parts else ():
        cells = [figures.share(line.scores[c]) for c in ("precision", "evidence")]
        cells.append(standing.verdicts("group", parts[0].standing)[line.name])
        out.append(f"| {line.name} | {len(line.cases)} | {figures.interval(line.passed)} | {' | '.join(cells)} |")
    if parts:
        out += ["", f"The verdicts: {parts[0].standing.rule.words()}."]
    return "\n".join(out) + "\n"
