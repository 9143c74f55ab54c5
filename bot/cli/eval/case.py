"""`gumshoe eval case`: a past investigation, with the truth that a person gives, becomes a case."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from config.customers import load_all
from config.settings import load
from workers.evaluation import recorded
from workers.evaluation.cases import CaseError
from workers.evaluation.results import write_whole
from workers.evaluation.sameness import parse
from workers.store import open_store


@click.command()
@click.argument("investigation")
@click.option("--verdict", type=click.Choice(["incident", "recovered", "false_alarm"]), default="incident")
@click.option("--entity", metavar="'KIND NAMESPACE/NAME'", help="The true culprit.")
@click.option("--fault", "fault_name", metavar="NAME", default="", help="The true fault, of skills/faults.yaml.")
@click.option("--onset", type=click.DateTime(["%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M:%S"]), help="When it began (UTC).")
@click.option("--evidence", multiple=True, metavar="PREDICATE", help="What the evidence must show; repeatable.")
@click.option("--name", default="", help="Default: past- and the investigation's id.")
@click.option("--out", type=click.Path(path_type=Path), required=True, metavar="FILE.case.json")
def command(
    investigation: str,
    verdict: str,
    entity: str | None,
    fault_name: str,
    onset: datetime | None,
    evidence: tuple[str, ...],
    name: str,
    out: Path,
) -> None:
    """Make a case of a past INVESTIGATION: its recorded results are the toolbox, its truth is what you say.

    \b
    gumshoe eval case inv-1a2b --verdict false_alarm --out nightly.case.json
    gumshoe eval run --cases nightly.case.json --guidance cart.yaml --guidance none --out run.json
    """
    if out.name == out.name.removesuffix(recorded.SUFFIX):
        raise click.UsageError(f"--out: the name of a recorded case ends in {recorded.SUFFIX}")
    settings = load()
    store = open_store(settings.database_url)
    try:
        truth = recorded.corrected(
            verdict,
            entity=parse(entity) if entity else None,
            fault_name=fault_name,
            onset=onset.replace(tzinfo=UTC) if onset else None,
            evidence=evidence,
        )
        known = store.investigations.get(investigation)
        if known is None:
            raise CaseError(f"{investigation}: no such investigation")
        customer = next((c for c in load_all(settings.customers_dir) if c.name == known.customer), None)
        if customer is None:
            raise CaseError(f"{investigation}: its customer {known.customer} has no file any more")
        made = recorded.from_store(store, investigation, customer, truth, name)
    except CaseError as error:
        raise click.UsageError(str(error)) from None
    finally:
        store.close()
    write_whole(out, made.model_dump_json(indent=1) + "\n")
    click.echo(f"{made.name}: {len(made.spans)} recorded steps, split {made.split}, {out}")
