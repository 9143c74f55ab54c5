"""A run: every case with every variant, as often as asked, in parallel, resumable, within a limit of dollars."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from importlib.resources import files
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from workers.evaluation import ledger, results, staging
from workers.evaluation.cases import Case, case
from workers.evaluation.pool import Broken, spread
from workers.evaluation.purse import Metered, Purse
from workers.evaluation.recorded import Recorded
from workers.evaluation.results import Result, Run
from workers.evaluation.staging import Job, Stage
from workers.evaluation.variants import Variant
from workers.llm.base import Model
from workers.simulation import Truth

FREE = "offline"


@dataclass(frozen=True)
class Plan:
    cases: tuple[str, ...]
    variants: tuple[Variant, ...]
    repeats: int = 1
    processes: int = 2
    limit_dollars: float | None = None
    recorded: tuple[Recorded, ...] = ()
    """Past investigations among the cases."""

    @property
    def known(self) -> dict[str, Case]:
        """By name."""
        past = {it.name: it.case for it in self.recorded}
        return {name: past[name] if name in past else case(name) for name in self.cases}

    @property
    def jobs(self) -> tuple[Job, ...]:
        """In an order that gives every case its first try before any gets its second."""
        known = self.known
        return tuple(
            Job(name, variant, repeat)
            for repeat in range(self.repeats)
            for variant in self.variants
            for name in self.cases
            if variant.applies_to(known[name])
        )

    @property
    def identity(self) -> dict[str, Any]:
        """What makes it the same run when it is resumed."""
        return {
            "cases": list(self.cases),
            "variants": [variant.name for variant in self.variants],
            "repeats": self.repeats,
            "recorded": [it.investigation or it.name for it in self.recorded],
            "guidance": [g.model_dump(mode="json") for v in self.variants for g in v.notebook.guidance],
        }


@dataclass(frozen=True)
class Progress:
    done: int
    total: int
    right: float
    seconds: float
    dollars: float


class OutOfMoney(Exception):
    """The next call could have broken the limit of dollars; raise --limit-dollars and run the same command again."""


def run(
    plan: Plan,
    stage: Stage,
    out: Path,
    *,
    tell: Callable[[Progress], None],
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Run:
    """Runs what has not been run yet and writes the results. Raises ResultsError when `out` belongs to another run."""
    record = ledger.opened(ledger.path_of(out), plan.identity, Result)
    jobs = [job for job in plan.jobs if job.key not in record.results]
    purse = Purse(get_context("fork").Value("d", record.spent), plan.limit_dollars, record.path)
    began, total, refused = clock(), len(plan.jobs), list[Job]()
    traced = replace(stage, traces=out.with_name(out.name + ".traces"), recorded={r.name: r for r in plan.recorded})

    def say() -> None:
        right = sum(r.passed for r in record.results.values())
        tell(Progress(len(record.results), total, right, (clock() - began).total_seconds(), purse.held))

    if not record.resumed:
        _forget_traces(traced.traces)
    say()
    answers = spread(jobs, lambda job: investigated(job, traced, purse), plan.processes, go_on=lambda: not refused)
    for job, answer in answers:
        if isinstance(answer, Broken) and answer.kind == OutOfMoney.__name__:
            refused.append(job)
            continue
        record.add(broken(job, plan.known[job.case], answer.why) if isinstance(answer, Broken) else answer)
        say()
    stopped = f"the limit of {plan.limit_dollars} dollars was reached" if refused else ""
    finished = Run(
        began_at=began,
        ended_at=clock(),
        version=version("gumshoe"),
        code=code(),
        variants=tuple(v.name for v in plan.variants),
        repeats=plan.repeats,
        results=results.ordered(list(record.results.values())),
        stopped=stopped,
        spent_dollars=round(purse.held, 6),
    )
    results.write(finished, out)
    if not stopped:
        record.path.unlink()
    return finished


def _forget_traces(folder: Path | None) -> None:
    """Of an earlier run with the same name."""
    for path in folder.glob("*.jsonl") if folder is not None and folder.is_dir() else ():
        path.unlink()


def investigated(job: Job, stage: Stage, purse: Purse) -> Result | Broken:
    """One job in a process of its own; broken as OutOfMoney when the model could not be paid any more."""
    refused: list[bool] = []

    def model(name: str) -> Model:
        made = stage.model(name)
        return made if made.name == FREE else Metered(made, purse, lambda: refused.append(True))

    result = staging.run(job, replace(stage, model=model))
    if refused:
        return Broken(OutOfMoney.__name__, job.key)
    return result


def broken(job: Job, it: Case, why: str) -> Result:
    """What is known of an investigation that gave no finding: it has not passed."""
    return Result(
        case=job.case,
        variant=job.variant.name,
        repeat=job.repeat,
        company=it.company,
        alert_type=it.alert_type,
        group=it.group,
        leaf=it.leaf,
        kinds=it.kinds,
        blind=it.blind,
        truth=Truth(verdict=it.verdict, kinds=it.kinds, causes=(), alerted="", innocent=()),
        error=why,
    )


def code() -> str:
    """Digest of the source that runs: which version these results are of, to the line."""
    hashed = hashlib.sha256()
    for package in ("workers", "skills", "config"):
        root = Path(str(files(package)))
        for path in sorted(p for p in root.rglob("*") if p.suffix in (".py", ".yaml", ".md") and p.is_file()):
            hashed.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return hashed.hexdigest()[:12]


def paid(variants: Sequence[Variant]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(v.model for v in variants if v.model != FREE))
