"""`gumshoe simulate`: explore a scenario of the simulated company with kubectl and curl, or print its alert."""

from __future__ import annotations

import json
import threading
from datetime import datetime
from typing import TYPE_CHECKING

import click
import yaml

if TYPE_CHECKING:
    from workers.simulation import Running


@click.command()
@click.argument("name", required=False)
@click.option("--list", "listing", is_flag=True, help="Name every scenario and what happens in it.")
@click.option("--serve", is_flag=True, help="Serve its Kubernetes, Elasticsearch and Prometheus APIs until Ctrl-C.")
@click.option("--alert", "only_alert", is_flag=True, help="Print its alert as an Alertmanager webhook body.")
@click.option(
    "--customer", "only_customer", is_flag=True, help="Serve it and print a customer's file for it; until Ctrl-C."
)
@click.option("--truth", "only_truth", is_flag=True, help="Print what is really wrong.")
@click.option(
    "--at",
    type=click.DateTime(["%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M:%S"]),
    help="The world's time (UTC); default: the scenario's own.",
)
def command(
    name: str | None,
    listing: bool,
    serve: bool,
    only_alert: bool,
    only_customer: bool,
    only_truth: bool,
    at: datetime | None,
) -> None:
    """Start the simulated scenario NAME.

    \b
    gumshoe simulate --list
    gumshoe simulate oom-after-deploy --serve
    """
    from workers.simulation import SimulationError, names, scenario, start  # noqa: PLC0415 (uvicorn costs 0.3 s)
    from workers.simulation.clock import utc  # noqa: PLC0415

    if listing or not name:
        if not listing:
            raise click.UsageError("name a scenario, or ask for the --list")
        for each in names():
            click.echo(f"{each:32} {scenario.load(each).title}")
        return
    try:
        running = start(name, at=utc(at) if at else None)
    except SimulationError as error:
        raise click.UsageError(str(error)) from None
    try:
        if only_alert:
            click.echo(json.dumps(running.alert, indent=1))
        if only_truth:
            click.echo(json.dumps(running.truth.model_dump(), indent=1))
        if only_customer:
            click.echo(yaml.safe_dump({"name": "simulated", "skills": running.skills}, sort_keys=False).rstrip())
        if serve:
            _explain(running)
        if serve or only_customer:
            threading.Event().wait()
        elif not (only_alert or only_truth):
            raise click.UsageError("say what to do: --serve, --alert, --customer or --truth")
    except KeyboardInterrupt:
        pass
    finally:
        running.close()


def _explain(running: Running) -> None:
    urls = running.urls
    click.echo(f"{running.name} at {running.now:%Y-%m-%d %H:%M:%S} UTC (the world's time stands still)")
    for system, url in urls.items():
        click.echo(f"  {system:14} {url}")
    for alert in running.alert["alerts"]:
        click.echo(f"  alert          {alert['labels']['alertname']}: {alert['annotations']['description']}")
    space = running.skills["kubernetes"]["namespaces"][0]
    click.echo("\nTry:")
    click.echo(f"  kubectl --kubeconfig=/dev/null -s {urls['kubernetes']} -n {space} get pods")
    click.echo(
        f"  kubectl --kubeconfig=/dev/null -s {urls['kubernetes']} -n {space} get events --sort-by=.lastTimestamp"
    )
    click.echo(f"  curl -s '{urls['prometheus']}/api/v1/query?query=ALERTS'")
    click.echo(f"  curl -s '{urls['elasticsearch']}/logs-*/_search?q=log.level:error&size=5&sort=@timestamp:desc'")
    click.echo("Ctrl-C ends it.")
