"""A run as one HTML page that needs nothing else: tables, both matrices, and every investigation behind each cell."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from jinja2 import Environment, StrictUndefined, Template

from workers.evaluation import figures, heatmap, judges, judging, register, standing
from workers.evaluation.grading.marks import SCORES
from workers.evaluation.matrices import COLUMNS, KINDS, SAYS, Cell, Row, Transition, state_order
from workers.evaluation.results import Result, Run
from workers.evaluation.summary import Summary, said_in_words, truth_in_words
from workers.evaluation.text import COLUMNS_OF_LINES


@dataclass(frozen=True)
class Shown:
    """A cell as the page shows it."""

    anchor: str
    text: str
    n: int
    few: bool
    colour: str
    title: str
    keys: tuple[str, ...]


def page(
    run: Run,
    parts: Sequence[tuple[Summary, Sequence[Row], Sequence[Transition]]],
    admitted: str = register.UNKNOWN,
    traces: Mapping[str, str] | None = None,
) -> str:
    """`traces`: by key, where the page of a trace is."""
    variants = [
        {
            "it": summary,
            "id": anchor(summary.variant),
            "heat": [(row, [_shown(summary.variant, row, c, rows) for c in COLUMNS]) for row in rows],
            "moves": _moves(summary.variant, moves),
            "results": [r for r in run.results if r.variant == summary.variant],
        }
        for summary, rows, moves in parts
    ]
    return _template().render(
        run=run,
        admitted=admitted,
        judges=[(name, judges.quality(())) for name in judging.CRITERIA],
        variants=variants,
        columns=COLUMNS,
        says=SAYS,
        kinds=KINDS,
        ramps=heatmap.RAMPS,
        traces=traces or {},
        stands=standing.verdicts,
        bands=standing.ORDER,
        scores=SCORES,
        line_columns=COLUMNS_OF_LINES,
        figures=figures,
        anchor=anchor,
        said=said_in_words,
        truth=truth_in_words,
        marks=_marks,
    )


def anchor(key: str) -> str:
    return "k" + hashlib.sha256(key.encode()).hexdigest()[:10]


def _shown(variant: str, row: Row, column: str, rows: Sequence[Row]) -> Shown:
    cell = row.cells[column]
    most = heatmap.largest(rows).get((row.kind, column), 0.0)
    return Shown(
        anchor(f"{variant}/{row.name}/{column}"),
        figures.cell(column, cell),
        cell.n,
        cell.value is None or cell.few,
        "#{:02x}{:02x}{:02x}".format(*heatmap.colour(column, cell, most)),
        f"{column} of {row.title}: {figures.cell(column, cell)}{_range(cell)}, n {cell.n}",
        cell.keys,
    )


def _range(cell: Cell) -> str:
    return f" ({cell.low:.0%} to {cell.high:.0%})" if cell.low is not None and cell.high is not None else ""


def _moves(variant: str, moves: Sequence[Transition]) -> dict[str, object]:
    found = {(m.last_good, m.first_failed): m for m in moves}
    goods, failed = state_order(a for a, _ in found), state_order(b for _, b in found)
    most = max((len(m.keys) for m in moves), default=1)
    rows = []
    for good in goods:
        cells = []
        for bad in failed:
            move = found.get((good, bad))
            keys = move.keys if move else ()
            shade = heatmap.mix(heatmap.GREY, heatmap.BAD, len(keys) / most) if keys else heatmap.PAPER
            cells.append(
                Shown(
                    anchor(f"{variant}/{good}>{bad}"),
                    str(len(keys)) if keys else "",
                    len(keys),
                    not keys,
                    "#{:02x}{:02x}{:02x}".format(*shade),
                    f"{good}, then failed in {bad}: {len(keys)}",
                    keys,
                )
            )
        rows.append((good, cells))
    return {"failed": failed, "rows": rows}


def _marks(result: Result) -> list[tuple[str, str]]:
    return [
        (name, figures.share(value)) for name in SCORES if (value := result.score(name)) is not None and result.marks
    ]


@cache
def _template() -> Template:
    source = files("workers.evaluation").joinpath("page.html").read_text(encoding="utf-8")
    return Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True).from_string(
        source
    )
