"""The whole of Gumshoe on this machine: simulated companies, a local Slack, Valkey and every process of the Procfile.

For the demo, the end-to-end tests and the benchmarks: all of them drive the same real parts.
"""

from __future__ import annotations

import contextlib
import random
import socket
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from pathlib import Path
from types import TracebackType
from typing import Any

import yaml

import config
from bot import local_slack
from bot.cli import _processes
from bot.cli._alertmanager_slack import as_slack_message
from config.settings import ConfigError
from workers import simulation, valkey
from workers.domain import Finding, Incident
from workers.store import Store, open_store

START_SECONDS = 40.0
MANIFEST = Path(config.__file__).parent / "slack-manifest.yaml"
"""The local workspace grants exactly the scopes and events that a real one would."""


@dataclass(frozen=True)
class Team:
    """One scenario: its company, its channel, its customer."""

    scenario: str
    channel: str
    world: simulation.Running

    @property
    def customer(self) -> str:
        return self.scenario

    def is_named_by(self, finding: Finding) -> bool:
        """Whether the first cause is the true one: entity (or an alias of it) and fault (or an accepted twin)."""
        if not finding.causes:
            return False
        said, fault = str(finding.causes[0].entity), finding.causes[0].fault
        return any(
            fault in (true.fault, *true.accept)
            and any(fnmatchcase(said, name) for name in (_spelt(true.entity), *true.entity.get("aliases", ())))
            for true in self.world.truth.causes
        )

    @property
    def truth(self) -> str:
        return ", ".join(f"{true.fault} of {_spelt(true.entity)}" for true in self.world.truth.causes)


class House:
    """Everything started, on free ports of the loopback interface; nothing is left behind at the end."""

    def __init__(
        self,
        state: Path,
        scenarios: tuple[str, ...],
        environ: Mapping[str, str],
        *,
        port: int = 0,
        verbose: bool = False,
        customer_keys: Mapping[str, Any] | None = None,
    ) -> None:
        """`customer_keys`: more keys for each customer's file. Raises what any of the parts raises."""
        self.state = state
        self.log_file = state / "log"
        self._stack = contextlib.ExitStack()
        try:
            self._start(scenarios, environ, port, verbose, customer_keys or {})
        except BaseException:
            self._stack.close()
            raise

    def _start(
        self,
        scenarios: tuple[str, ...],
        environ: Mapping[str, str],
        port: int,
        verbose: bool,
        keys: Mapping[str, Any],
    ) -> None:
        self.state.mkdir(parents=True, exist_ok=True)
        now = datetime.now(UTC)
        self.teams = tuple(self._team(name, i, now) for i, name in enumerate(scenarios))
        channels = [*(team.channel for team in self.teams), "alerts-shadow", "general"]
        manifest = yaml.safe_load(MANIFEST.read_text(encoding="utf-8"))
        self.slack = local_slack.start(port, company=local_slack.Company(channels=channels), manifest=manifest)
        self._stack.callback(self.slack.close)
        self.control = local_slack.Control(self.slack.control_url)
        self.valkey = valkey.start(self.state)
        self._stack.callback(self.valkey.stop)
        self.environment = self._environment(environ)
        self._write_customers(keys)
        self.store: Store = open_store(self.environment["DATABASE_URL"])
        self._stack.callback(self.store.close)
        log = sys.stderr.buffer if verbose else self._stack.enter_context(self.log_file.open("wb"))
        self.family = self._stack.enter_context(_processes.Family(self.environment, log))
        for name in _processes.procfile():
            self.family.start(name)
        self.wait(lambda: self.control.state()["connected"], START_SECONDS, "the bot did not connect to Slack")

    def _team(self, scenario: str, index: int, now: datetime) -> Team:
        world = simulation.start(scenario, at=now)
        self._stack.callback(world.close)
        return Team(scenario, "alerts" if index == 0 else f"alerts-{scenario}", world)

    def _environment(self, environ: Mapping[str, str]) -> dict[str, str]:
        port = _free_port()
        return {
            **environ,
            "GUMSHOE_STATE": str(self.state),
            "GUMSHOE_CUSTOMERS": str(self.state / "customers"),
            "DATABASE_URL": f"sqlite:///{self.state / 'gumshoe.db'}",
            "REDIS_URL": self.valkey.url,
            "SLACK_API_URL": self.slack.api_url,
            "SLACK_BOT_TOKEN": self.slack.bot_token,
            "SLACK_APP_TOKEN": self.slack.app_token,
            "GUMSHOE_WEB_HOST": "127.0.0.1",
            "GUMSHOE_WEB_PORT": str(port),
            "GUMSHOE_PUBLIC_URL": f"http://127.0.0.1:{port}",
        }

    def _write_customers(self, keys: Mapping[str, Any]) -> None:
        directory = self.state / "customers"
        directory.mkdir()
        for team in self.teams:
            customer = {
                "name": team.customer,
                "slack": {"team_id": self.slack.team_id, "channels": [team.channel]},
                "skills": dict(team.world.skills),
                **keys,
            }
            path = directory / f"{team.customer}.yaml"
            path.write_text(yaml.safe_dump(customer, sort_keys=False), encoding="utf-8")

    @property
    def web_url(self) -> str:
        return self.environment["GUMSHOE_PUBLIC_URL"]

    def post_alert(self, team: Team) -> str:
        """The alerting app posts the scenario's alert; the message's ts."""
        return str(self.control.post("Alertmanager", team.channel, **as_slack_message(team.world.alert))["ts"])

    def incident(self, team: Team) -> Incident | None:
        recent = self.store.incidents.recent(team.customer, 1)
        return recent[0] if recent else None

    def finding(self, team: Team) -> Finding | None:
        incident = self.incident(team)
        return self.store.findings.latest_of_incident(incident.id) if incident else None

    def quiet(self) -> bool:
        """Whether everything that is to be said has been said."""
        return self.store.outbox.waiting_count() == 0

    def wait(self, ready: Callable[[], object], seconds: float, late: str) -> None:
        """Raises TimeoutError, or ConfigError when a process ended by itself; both with the end of the log."""
        deadline = time.monotonic() + seconds
        while not ready():
            if name := self.family.ended():
                raise ConfigError(f"process {name} ended by itself\n{self.log_tail()}")
            if time.monotonic() > deadline:
                raise TimeoutError(f"{late}\n{self.log_tail()}")
            time.sleep(0.02)

    def log_tail(self) -> str:
        if not self.log_file.is_file():
            return "(run with --verbose for the log)"
        return "\n".join(self.log_file.read_text(errors="replace").splitlines()[-25:])

    def __enter__(self) -> House:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()


def _spelt(entity: Mapping[str, Any]) -> str:
    place = f"{entity['namespace']}/" if entity.get("namespace") else ""
    return f"{entity['kind']} {place}{entity['name']}"


def _free_port() -> int:
    """A port that several processes must know beforehand: from below the range that the system gives out by itself."""
    candidates = random.SystemRandom()
    while True:
        port = candidates.randrange(20000, 30000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
