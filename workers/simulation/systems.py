"""Which faces a skill needs, and what the customer's file says of them. A skill that is off costs no face.

A new face is one line in `FACES`, a new MCP server one file in `mcp/` and its name here; a new skill one line in
`NEEDS` and, if it has settings, one function in `SETTINGS`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from workers.simulation import improvise
from workers.simulation.alerts import Rules
from workers.simulation.deliveries import Deliveries
from workers.simulation.faces import mcp
from workers.simulation.faces.alertmanager import Alertmanager
from workers.simulation.faces.argocd import ArgoCD
from workers.simulation.faces.elasticsearch import Elasticsearch
from workers.simulation.faces.exchange import Face
from workers.simulation.faces.github import GitHub
from workers.simulation.faces.kubernetes import Kubernetes
from workers.simulation.faces.loki import Loki
from workers.simulation.faces.mcp import Mcp
from workers.simulation.faces.pagerduty import PagerDuty
from workers.simulation.faces.prometheus import Prometheus
from workers.simulation.improvise import Beyond, Improvising
from workers.simulation.scenario import Scenario
from workers.simulation.scene import Scene
from workers.simulation.world import World

Maker = Callable[[Scene, Rules, Scenario], Face]

FACES: Mapping[str, Maker] = {
    "kubernetes": lambda scene, rules, it: Kubernetes(scene, forbidden=frozenset(it.forbidden)),
    "elasticsearch": lambda scene, rules, it: Elasticsearch(scene),
    "loki": lambda scene, rules, it: Loki(scene),
    "prometheus": lambda scene, rules, it: Prometheus(scene, rules),
    "alertmanager": lambda scene, rules, it: Alertmanager(scene, rules),
    "github": lambda scene, rules, it: GitHub(scene),
    "argocd": lambda scene, rules, it: ArgoCD(scene),
    "pagerduty": lambda scene, rules, it: PagerDuty(scene, rules),
}

MCP_SERVERS = ("catalogue",)
"""Each is declared in `mcp/NAME.yaml`; what its tools answer is improvised."""

NEEDS: Mapping[str, tuple[str, ...]] = {
    "kubernetes": ("kubernetes",),
    "elasticsearch": ("elasticsearch",),
    "loki": ("loki",),
    "prometheus": ("prometheus", "alertmanager"),
    "python": (),
    "golang": (),
    "changes": ("github", "argocd"),
    "pagerduty": ("pagerduty",),
    "mcp": MCP_SERVERS,
}
"""By skill, the faces that it reads; the first one is its `url`."""


def faces(
    skills: Iterable[str], scene: Scene, rules: Rules, it: Scenario, beyond: Beyond | None = None
) -> dict[str, Face]:
    """The faces that these skills need. `beyond`: who answers what no face does; without it a face refuses that, and
    an MCP server answers from what was improvised for the scenario before, and from the facts."""
    wanted = {face for skill in skills for face in NEEDS[skill]}
    made = {name: make(scene, rules, it) for name, make in FACES.items() if name in wanted}
    if beyond:
        made = {name: Improvising(scene, name, beyond, inner=face) for name, face in made.items()}
    behind = beyond or improvise.kept(it.name)
    for name in wanted.intersection(MCP_SERVERS):
        made[name] = Mcp(name, Improvising(scene, name, behind, about=mcp.about(name)))
    return made


def settings(skills: Iterable[str], world: World, urls: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """The `skills:` mapping of the customer's file."""
    return {skill: {"enabled": True, **SETTINGS[skill](world, urls)} for skill in skills}


def _kubernetes(world: World, urls: Mapping[str, str]) -> dict[str, Any]:
    return {
        "url": urls["kubernetes"],
        "namespaces": list(world.company.application_namespaces),
        "token_env": "GUMSHOE_SIMULATION_TOKEN",
    }


def _elasticsearch(world: World, urls: Mapping[str, str]) -> dict[str, Any]:
    return {
        "url": urls["elasticsearch"],
        "index": "logs-*",
        "link_base": f"https://kibana.{world.company.domain}",
    }


def _loki(world: World, urls: Mapping[str, str]) -> dict[str, Any]:
    return {"url": urls["loki"], "link_base": f"https://grafana.{world.company.domain}"}


def _prometheus(world: World, urls: Mapping[str, str]) -> dict[str, Any]:
    return {
        "url": urls["prometheus"],
        "alertmanager_url": urls["alertmanager"],
        "link_base": f"https://grafana.{world.company.domain}",
    }


def _changes(world: World, urls: Mapping[str, str]) -> dict[str, Any]:
    made = Deliveries(world)
    repositories = {s.name: made.repository(s.name) for s in world.company.services}
    return {
        "github": {"url": urls["github"], "token_env": "GUMSHOE_SIMULATION_TOKEN", "repositories": repositories},
        "argocd": {"url": urls["argocd"], "token_env": "GUMSHOE_SIMULATION_TOKEN"},
    }


def _pagerduty(world: World, urls: Mapping[str, str]) -> dict[str, Any]:
    return {"url": urls["pagerduty"], "token_env": "GUMSHOE_SIMULATION_TOKEN"}


def _mcp(world: World, urls: Mapping[str, str]) -> dict[str, Any]:
    return {"servers": {name: {"url": f"{urls[name]}/mcp"} for name in MCP_SERVERS}}


SETTINGS: Mapping[str, Callable[[World, Mapping[str, str]], dict[str, Any]]] = {
    "kubernetes": _kubernetes,
    "elasticsearch": _elasticsearch,
    "loki": _loki,
    "prometheus": _prometheus,
    "python": lambda world, urls: {"ours": ["/app/"]},
    "golang": lambda world, urls: {"ours": ["/src/"]},
    "changes": _changes,
    "pagerduty": _pagerduty,
    "mcp": _mcp,
}
