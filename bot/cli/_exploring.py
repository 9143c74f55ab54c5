"""What someone needs who explores a served scenario by hand: files to point at, lines to paste, and what time it is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

if TYPE_CHECKING:
    from workers.simulation import Running

SKILLS = ("kubernetes", "elasticsearch", "loki", "prometheus", "python", "golang", "changes", "pagerduty")
"""Who explores may ask every system, whatever the scenario gives to the agent."""
_NAMES = {
    "elasticsearch": "ES",
    "prometheus": "PROM",
    "alertmanager": "AM",
    "loki": "LOKI",
    "github": "GITHUB",
    "argocd": "ARGOCD",
    "pagerduty": "PAGERDUTY",
}
_CLOSE = timedelta(minutes=30)


def write(running: Running, own: dict[str, dict[str, object]], folder: Path) -> None:
    """A kubeconfig, the alert, and a customer's file with the skills that the scenario gives to the agent."""
    spaces, labels = running.skills["kubernetes"]["namespaces"], running.alert["alerts"][0]["labels"]
    space = labels["namespace"] if labels.get("namespace") in spaces else spaces[0]
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": running.name,
        "contexts": [{"name": running.name, "context": {"cluster": "world", "user": "reader", "namespace": space}}],
        "clusters": [{"name": "world", "cluster": {"server": running.urls["kubernetes"]}}],
        "users": [{"name": "reader", "user": {}}],
    }
    customer = {"name": "simulated", "skills": own}
    (folder / "kubeconfig").write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")
    (folder / "customer.yaml").write_text(yaml.safe_dump(customer, sort_keys=False), encoding="utf-8")
    (folder / "alert.json").write_text(json.dumps(running.alert, indent=1) + "\n", encoding="utf-8")


def exports(running: Running, folder: Path) -> tuple[str, str]:
    """The lines after which kubectl and curl know where to ask."""
    urls = " ".join(f"{short}={running.urls[face]}" for face, short in _NAMES.items() if face in running.urls)
    return f"export KUBECONFIG={folder / 'kubeconfig'}", f"export {urls}"


def lines(running: Running, folder: Path, machine: datetime) -> Iterator[str]:
    now, about = running.now, _about(running)
    moment = f"{now:%Y-%m-%dT%H:%M:%SZ}"
    hour = f"start={(now - timedelta(hours=1)).timestamp():.0f} -d end={now.timestamp():.0f}"
    yield f"{running.name}: it is {now:%Y-%m-%d %H:%M:%S} UTC there, and stays so."
    yield ""
    for alert in running.alert["alerts"]:
        yield f"  {alert['labels']['alertname']}: {alert['annotations']['description']}"
    yield ""
    yield "Everything may be read and nothing changed. Namespaces: " + ", ".join(
        running.skills["kubernetes"]["namespaces"]
    )
    yield from (f"  {line}" for line in exports(running, folder))
    yield ""
    yield "Try"
    yield "  kubectl get pods -o wide"
    yield "  kubectl get events --sort-by=.lastTimestamp | tail"
    yield f"  kubectl rollout history deploy/{about}; kubectl describe deploy/{about}; kubectl top pods -l app={about}"
    yield f"  kubectl logs deploy/{about} --since=10m | grep -iE 'error|warn' | tail -5"
    five = 'sum by (service) (rate(http_requests_total{code=~"5.."}[5m]))'
    yield f"  curl -s $PROM/api/v1/query --data-urlencode 'query={five}'"
    yield f"  curl -s $PROM/api/v1/query_range -d {hour} -d step=60 --data-urlencode 'query={five}'"
    yield "  curl -s $PROM/api/v1/rules; curl -s $AM/api/v2/alerts/groups"
    wanted = (
        f"q=service.name:{about}+AND+log.level:error&size=3&sort=@timestamp:desc&filter_path=hits.hits._source.message"
    )
    yield f'  curl -s "$ES/logs-*/_search?{wanted}"'
    query = f'{{app="{about}"}} |~ "(?i)error"'
    yield f"  curl -s $LOKI/loki/api/v1/query_range -d {hour} -d limit=3 --data-urlencode 'query={query}'"
    repository = running.skills["changes"]["github"]["repositories"].get(about, "OWNER/NAME")
    yield f'  curl -s "$GITHUB/repos/{repository}/deployments?per_page=2"; curl -s $ARGOCD/api/v1/applications/{about}'
    yield '  curl -sg "$PAGERDUTY/incidents?statuses[]=triggered&statuses[]=acknowledged"'
    yield ""
    yield "Time"
    yield f"  A question without a time is answered as of {moment}; a range must name its own times, as above."
    yield f"  {_ages(now, machine)}"
    yield "  Nothing moves: a watch and `logs -f` tell what there is, and end."
    yield ""
    yield "Let Gumshoe try, and compare"
    files = f"--alert {folder / 'alert.json'} --customer {folder / 'customer.yaml'}"
    yield f"  gumshoe investigate {files} --now {moment} --model offline"
    yield f"  gumshoe simulate {running.name} --truth"
    yield ""
    yield "Ctrl-C ends it."


def _ages(now: datetime, machine: datetime) -> str:
    off = machine - now
    if abs(off) < _CLOSE:
        return "It began at this machine's time: the ages in `kubectl describe` and `kubectl events` are right for now."
    hours = f"{abs(off) / timedelta(hours=1):.0f} h"
    return (
        "`kubectl get` shows ages as of then. `kubectl describe` and `kubectl events` reckon with this machine's "
        f"clock, {hours} {'later' if off > timedelta(0) else 'earlier'}: add --at now to have them right."
    )


def _about(running: Running) -> str:
    """The service that the alert names, or the first one."""
    services: list[str] = list(running.skills["changes"]["github"]["repositories"])
    labels = running.alert["alerts"][0]["labels"]
    named = [str(labels.get(key, "")) for key in ("service", "deployment", "pod", "container")]
    return next((s for n in named for s in services if n == s or n.startswith(f"{s}-")), services[0])
