"""Replies beyond the faces: by a model that is given the world's facts, or, without one, by the facts alone.

What was improvised is checked against the world (names, times, states, what the same API said before), recorded on a
cassette, and given back byte for byte ever after. A reply that contradicts the world is asked for once more with its
contradictions, and then dropped for the one that the facts alone give.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from workers.llm.base import Model, ModelError, ToolSpec
from workers.simulation import clock
from workers.simulation.cassette import Cassette, Exchange, canonical, load
from workers.simulation.contradictions import contradictions
from workers.simulation.faces.exchange import Ask, Face, Reply, as_json
from workers.simulation.facts import from_facts, relevant
from workers.simulation.scene import Scene

Json = dict[str, Any]
SAID_BEFORE = 8
ANSWER = ToolSpec(
    "answer",
    "The API's reply.",
    {
        "type": "object",
        "properties": {
            "status": {"type": "integer", "minimum": 100, "maximum": 599},
            "body": {"description": "The JSON body, or text where the API answers text."},
        },
        "required": ["status", "body"],
        "additionalProperties": False,
    },
)


@dataclass(frozen=True)
class Beyond:
    """What answers where the faces end."""

    cassette: Cassette
    """What was said before, and where what is said now is kept."""
    model: Model | None = None
    """None: the facts alone."""
    path: Path | None = None
    """Where the cassette is written after each new reply: some of them were paid for."""

    def keep(self, exchange: Exchange) -> Reply:
        reply = self.cassette.add(exchange).reply
        if self.path:
            self.cassette.write(self.path)
        return reply


def kept(scenario: str) -> Beyond:
    """What was improvised for this scenario and is part of the library; beyond that the facts answer."""
    source = files("workers.simulation") / "improvised" / f"{scenario}.jsonl"
    return Beyond(load(Path(str(source))) if source.is_file() else Cassette())


class Improvising:
    """A face in front of another (or of none): what the other does not do is improvised."""

    def __init__(
        self, scene: Scene, system: str, beyond: Beyond, *, inner: Face | None = None, about: str = ""
    ) -> None:
        """`inner`: the face in front of which this stands; `about`: what the model is told of an API of no renown."""
        self.refused: Counter[str] = Counter()
        self.dropped: list[str] = []
        """Contradictions for which a model's reply was not taken."""
        self._scene, self._system, self._inner, self._about = scene, system, inner, about
        self._cassette, self._model, self._beyond = beyond.cassette, beyond.model, beyond

    def answer(self, ask: Ask) -> Reply:
        found = self._cassette.find(self._system, ask)
        if found is not None:
            return found
        if self._inner is not None:
            before = sum(self._inner.refused.values())
            reply = self._inner.answer(ask)
            if sum(self._inner.refused.values()) == before:
                return reply
        facts = relevant(self._scene, ask)
        made = self._asked(ask, facts) if self._model else None
        made = made or from_facts(ask, facts)
        return self._beyond.keep(Exchange(self._system, canonical(ask), made))

    def _asked(self, ask: Ask, facts: list[Json]) -> Reply | None:
        """The model's reply, at its second try if need be; None when both contradict the world."""
        assert self._model
        said = self._cassette.of(self._system)[-SAID_BEFORE:]
        told = {
            "now": clock.seconds(self._scene.world.now),
            "company": {
                k: getattr(self._scene.world.company, k)
                for k in ("title", "cluster", "environment", "region", "domain")
            },
            **({"api": self._about} if self._about else {}),
            "facts": facts,
            "said before": [{"request": e.request, "reply": e.reply.body.decode("utf-8", "replace")} for e in said],
            "request": canonical(ask),
        }
        text = files("workers.simulation").joinpath("improvise.md").read_text(encoding="utf-8")
        system = text.replace("{system}", self._system)
        messages = [{"role": "user", "content": [{"type": "text", "text": json.dumps(told, ensure_ascii=False)}]}]
        for _ in range(2):
            try:
                reply = self._model.reply(system, [ANSWER], messages, max_tokens=4000, force_tool=ANSWER.name)
            except ModelError as error:
                self.dropped.append(f"{canonical(ask)}: {error}")
                return None
            call = next((b for b in reply.content if b["type"] == "tool_use"), None)
            wrong = _shape(call)
            if call and not wrong:
                wrong = contradictions(self._scene, call["input"]["body"], said)
            if call and not wrong:
                return as_json(call["input"]["body"], int(call["input"]["status"]))
            self.dropped += [f"{canonical(ask)}: {w}" for w in wrong]
            answer = {"type": "tool_result", "tool_use_id": call["id"] if call else "", "is_error": True}
            messages.append({"role": "assistant", "content": reply.content})
            said_wrong = "This contradicts the facts: " + "; ".join(wrong)
            content = [{**answer, "content": said_wrong}] if call else [{"type": "text", "text": said_wrong}]
            messages.append({"role": "user", "content": content})
        return None


def _shape(call: Json | None) -> list[str]:
    if call is None:
        return ["no reply was given through the tool"]
    given = call["input"]
    if not isinstance(given.get("status"), int) or not 100 <= given["status"] <= 599 or "body" not in given:
        return ["status and body must be given"]
    return []
