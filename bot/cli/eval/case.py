"""`gumshoe eval case`: a past investigation, with the truth that a person gives, becomes a case."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from config.customers import load_all
from config.settings import load
from workers import correction
from workers.correction import Correction
from workers.evaluation import recorded
from workers.evaluation.cases import CaseError
from workers.evaluation.results import write_whole
from workers.evaluation.sameness import parse
from workers.store import Store, open_store


@click.command()
@click.argument("investigation", required=False)
@click.option(
    "--verdict", type=click.Choice(["incident", "recovered", "false_alarm"]), help="Default: what people said."
)
@click.option("--entity", metavar="'KIND NAMESPACE/NAME'", help="The true culprit.")
@click.option("--fault", "fault_name", metavar="NAME", default="", help="The true fault, of skills/faults.yaml.")
@click.option("--onset", type=click.DateTime(["%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M:%S"]), help="When it began (UTC).")
@click.option("--evidence", multiple=True, metavar="PREDICATE", help="What the evidence must show; repeatable.")
@click.option("--name", default="", help="Default: past- and the investigation's id.")
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE.case.json")
def command(
    investigation: str | None,
    verdict: str | None,
    entity: str | None,
    fault_name: str,
    onset: datetime | None,
    evidence: tuple[str, ...],
    name: str,
    out: Path | None,
) -> None:
    """Make a case of a past INVESTIGATION: its recorded results are the toolbox, its truth is what you say, or what was
    said in Slack. Without INVESTIGATION: which of them people have corrected.

    \b
    gumshoe eval case
    gumshoe eval case inv-1a2b --out nightly.case.json
    gumshoe eval case inv-1a2b --verdict false_alarm --out nightly.case.json
    gumshoe eval run --cases nightly.case.json --guidance cart.yaml --guidance none --out run.json
    """
    if investigation is None:
        _list()
        return
    if out is None:
        raise click.UsageError("--out: where the case goes")
    if out.name == out.name.removesuffix(recorded.SUFFIX):
        raise click.UsageError(f"--out: the name of a recorded case ends in {recorded.SUFFIX}")
    settings = load()
    store = open_store(settings.database_url)
    try:
        said = _said(store, investigation) if verdict is None and entity is None else None
        truth = recorded.corrected(
            said.verdict if said else verdict or "incident",
            entity=said.entity if said else parse(entity) if entity else None,
            fault_name=said.fault if said else fault_name,
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


def _said(store: Store, investigation: str) -> Correction | None:
    """What people say in Slack that it really was, where code can read it."""
    words = dict(store.feedback.corrections()).get(investigation)
    return correction.read(words.true_cause) if words else None


def _list() -> None:
    store = open_store(load().database_url)
    try:
        rows = store.feedback.corrections()
        for investigation, said in rows:
            known = store.investigations.get(investigation)
            incident = store.incidents.get(known.incident_id) if known else None
            about = f"{incident.customer}, {incident.alert_type}" if incident else "its incident is gone"
            true = correction.read(said.true_cause)
            click.echo(f"past-{investigation}  {about}: {true or f'in prose: {said.true_cause!r}'}")
    finally:
        store.close()
    if not rows:
        click.echo("Nobody has corrected an answer yet: press Wrong beneath one and say what it really was.")
    else:
        click.echo("\ngumshoe eval run --cases @corrected --out run.json    runs those whose truth is not in prose")
