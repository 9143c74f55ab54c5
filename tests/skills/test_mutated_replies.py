"""Replies of every system with parts left out, null or of another type: less is seen, nothing but a ToolError escapes.

What is mutated are whole replies of the simulated company, as its faces make them for the skills' real questions. The
generator is seeded, so that what fails once fails again: `survive("kubernetes", 17)`.
"""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from urllib.parse import urlencode

import pytest
from pydantic import ValidationError

from config.customers import Customer
from skills import registry
from skills.contract import Focus, Skill, SkillContext, SkillError, Sources, Tool, ToolError, Window
from tests.agent.company import MemoryJournal, alert, request
from tests.skills.elasticsearch.cluster import Cluster, Rejected
from tests.skills.elasticsearch.layouts import TYPES, incident
from tests.skills.elasticsearch.test_look import CONTEXT
from tests.skills.mcp.servers import Wiki
from tests.skills.misbehaving import misbehaving, silence
from workers import simulation
from workers.agent import connect_all, investigate
from workers.llm.offline import Offline
from workers.simulation.faces.exchange import Ask, Face, Reply, as_json

SKILLS = ("kubernetes", "elasticsearch", "loki", "prometheus", "pagerduty", "changes", "python", "golang", "mcp")
SEEDS = (1,)
NAMED: dict[str, Any] = {
    "namespace": "shop", "service": "cart", "name": "cart", "kind": "Deployment", "query": "up", "contains": "http",
    "id": "github/hollybrook/cart/pull/1", "text": "error", "at": "2026-11-24T14:10:00Z", "identifier": "abc123",
}  # fmt: skip
"""What a tool is asked when it must be told something."""


class Recorded:
    """A face that is asked each question once: the answers are mutated a hundred times."""

    def __init__(self, face: Face) -> None:
        self.refused: Counter[str] = Counter()
        self._face = face
        self._kept: dict[tuple[object, ...], Reply] = {}
        self._lock = threading.Lock()

    def answer(self, ask: Ask) -> Reply:
        key = (ask.method, ask.path, ask.query, ask.body, ask.headers.get("accept"))
        with self._lock:
            if key not in self._kept:
                self._kept[key] = shortened(self._face.answer(ask))
            return self._kept[key]


def shortened(reply: Reply) -> Reply:
    """Twelve of each list: the more of them there are, the longer it takes and the less is hit."""
    try:
        return replace(reply, body=json.dumps(first(json.loads(reply.body))).encode())
    except ValueError:
        return reply


def first(value: Any) -> Any:
    if isinstance(value, list):
        return [first(each) for each in value[:12]]
    return {key: first(each) for key, each in value.items()} if isinstance(value, dict) else value


class Logs:
    """A small cluster of Elasticsearch: the company's keeps too much to be read a hundred times."""

    def __init__(self) -> None:
        self.refused: Counter[str] = Counter()
        self._cluster = Cluster(incident("ecs"), TYPES["ecs"])

    def answer(self, ask: Ask) -> Reply:
        body = json.loads(ask.body) if ask.body else None
        try:
            found = self._cluster.answer(ask.method, f"{ask.path}?{urlencode(ask.query)}", body)
        except Rejected as refusal:
            error = {"type": refusal.kind, "reason": refusal.reason}
            found, status = {"error": {"root_cause": [error], **error}}, refusal.status
            return as_json(found, status, X_Elastic_Product="Elasticsearch")
        return as_json(found, X_Elastic_Product="Elasticsearch")


class Mutating:
    """A face whose JSON has been tampered with."""

    def __init__(self, face: Face, seed: int) -> None:
        self.refused: Counter[str] = Counter()
        self.mutations = 0
        self._face = face
        self._random = Random(seed)

    def answer(self, ask: Ask) -> Reply:
        reply = self._face.answer(ask)
        try:
            value = json.loads(reply.body)
        except ValueError:
            return reply
        for _ in range(self._random.choice((0, 1, 2, 4, 8, 16))):
            value = self._mutated(value)
            self.mutations += 1
        return replace(reply, body=json.dumps(value).encode())

    def _mutated(self, value: Any) -> Any:
        """One place of it, mostly deep down, changed."""
        holder, key, at = None, None, value
        while isinstance(at, dict | list) and at and self._random.random() < 0.88:
            holder = at
            key = self._random.choice(list(at)) if isinstance(at, dict) else self._random.randrange(len(at))
            at = at[key]
        if holder is None:
            return self._odd(value)
        if isinstance(holder, dict) and self._random.random() < 0.3:
            del holder[key]
        else:
            holder[key] = self._odd(at)
        return value

    def _odd(self, value: Any) -> Any:
        odd: list[Any] = [
            None,
            "",
            "text",
            0,
            -1,
            1.5,
            10**30,
            True,
            [],
            {},
            [None],
            {"a": None},
            [[]],
            [value],
            {"x": value},
        ]
        if isinstance(value, str):
            odd += [value[::-1], value * 3, "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "NaN", "\ud83d\ude00"]
        if isinstance(value, int | float):
            odd += [str(value), float("inf"), -value, "1e400"]
        return self._random.choice(odd)


@pytest.fixture(scope="module")
def world() -> Iterator[simulation.Running]:
    running = simulation.start(
        "oom-after-deploy", skills=("kubernetes", "elasticsearch", "loki", "prometheus", "changes", "pagerduty")
    )
    faces = {name: Recorded(face) for name, face in running.staged.faces.items()}
    there = {**running.urls, "mcp": "http://wiki"}
    given = {**running.skills, "mcp": {"servers": {"wiki": {"url": "http://wiki"}}}}
    staged = replace(running.staged, faces={**faces, "mcp": Wiki(), "elasticsearch": Logs()})
    yield replace(running, staged=staged, urls=there, skills=given)
    running.close()


def about(world: simulation.Running, sources: dict[str, Sources]) -> SkillContext:
    started = world.now - timedelta(minutes=13)
    window = Window(started - timedelta(minutes=30), world.now)
    focus = Focus(
        alert_type="KubePodCrashLooping", service="cart", namespace="shop", started_at=started,
        labels={"namespace": "shop", "pod": "cart-5b8f-x2x4k"},
    )  # fmt: skip
    return SkillContext(focus, world.now, window, window.before(3600), sources)


def questions(tool: Tool) -> Iterator[Any]:
    """With what it takes by default, and with something in every field."""
    fields = tool.input.model_fields
    for given in ({}, {k: v for k, v in NAMED.items() if k in fields}):
        try:
            yield tool.input.model_validate(given)
        except ValidationError:
            continue


def everything(skill: Skill, context: SkillContext) -> None:
    """All that an investigation or the doctor may ask of a skill. ToolErrors are answers."""
    asked = [skill.reach, lambda: skill.first_look(context), skill.checks]
    asked += [lambda t=t, q=q: t.run(q, context) for t in skill.tools for q in questions(t)]
    sources = skill.sources
    if sources.logs is not None and skill.name == "kubernetes":
        asked.append(lambda: sources.changes.changes(context.window, "shop"))
        asked.append(lambda: sources.edges.edges("shop"))
    if sources.code is not None:
        asked.append(lambda: sources.code.last_touched("orders/api.py", 12, "cart"))
    for ask in asked:
        try:
            ask()
        except (ToolError, SkillError):
            continue


@contextmanager
def tampered(
    world: simulation.Running, names: Iterable[str], seed: int
) -> Iterator[tuple[dict[str, str], list[Mutating]]]:
    """Servers of mutated replies: what stands in the place of each address of the company, and who mutates."""
    faces = {name: Mutating(world.staged.faces[name], seed) for name in names}
    with ExitStack() as stack:
        servers = {
            name: stack.enter_context(misbehaving(silence, face, lambda number, path: False))
            for name, face in faces.items()
        }
        yield {world.urls[name]: server.url for name, server in servers.items()}, list(faces.values())


def survive(world: simulation.Running, name: str, seed: int) -> int:
    """How many mutations there were."""
    read = {"python": "elasticsearch", "golang": "loki"}.get(name, name)
    with_faces = {"changes": ("github", "argocd"), "prometheus": ("prometheus", "alertmanager")}.get(read, (read,))
    with tampered(world, with_faces, seed) as (addresses, faces):
        settings = readdressed(world.skills[read], addresses)
        customer = Customer(name="acme", skills={read: settings, name: settings if name == read else {}})
        connected, _ = registry.connect(customer, read, lambda variable: None, timeout_seconds=3)
        sources = {read: connected.sources}
        skill = connected if name == read else registry.connect(customer, name, lambda variable: None)[0]
        context = about(world, {} if name == read else sources)
        everything(skill, context if read != "elasticsearch" else replace(CONTEXT, sources=context.sources))
    return sum(face.mutations for face in faces)


def readdressed(settings: Any, addresses: dict[str, str]) -> Any:
    if isinstance(settings, dict):
        return {key: readdressed(value, addresses) for key, value in settings.items()}
    return addresses.get(settings, settings) if isinstance(settings, str) else settings


@pytest.mark.parametrize("name", SKILLS)
def test_nothing_but_a_tool_error_escapes_a_skill_whatever_a_reply_holds(world: simulation.Running, name: str) -> None:
    mutations = 0
    for seed in SEEDS:
        try:
            mutations += survive(world, name, seed)
        except Exception as error:
            raise AssertionError(f"survive(world, {name!r}, {seed})") from error
    assert mutations > (10 if name == "mcp" else 30)


@pytest.mark.parametrize("seed", [1, 2])
def test_an_investigation_of_mutated_systems_ends_with_a_finding_and_no_surprise(
    world: simulation.Running, seed: int
) -> None:
    with tampered(world, world.staged.faces, seed) as (addresses, _):
        skills = readdressed(world.skills, addresses) | {"python": {}, "golang": {}}
        customer = Customer(name="acme", skills=skills)
        connected = connect_all(customer, registry.toggles(customer), lambda variable: None)
        journal = MemoryJournal()
        asked = request(alert(started_at=world.now - timedelta(minutes=13)), customer=customer, now=world.now)
        finding = investigate(
            asked, Offline(), connected, journal, clock=lambda: datetime.now(UTC), monotonic=time.monotonic
        )
    assert finding.headline.text
    assert "failed unexpectedly" not in json.dumps([span.output for span in journal.spans]) + finding.model_dump_json()
