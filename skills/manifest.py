"""SKILL.md: front matter that says what a skill is and needs, and a body that the model reads.

---
name: kubernetes
summary: Pods, workloads, rollouts, events, logs, nodes and services of a cluster.
needs: A read-only service account (config/kubernetes-rbac.yaml).
---
Advice to the model, in Markdown.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files

from skills.contract import SkillError


@dataclass(frozen=True)
class Manifest:
    name: str
    summary: str
    """One sentence: what it can see."""
    needs: str
    """What an operator must provide."""
    advice: str
    """What the model reads when the skill is on."""


def load(skill: str) -> Manifest:
    """The manifest of `skills/<skill>`. Raises SkillError when it is missing or malformed."""
    text = files(f"skills.{skill}").joinpath("SKILL.md").read_text(encoding="utf-8")
    if not text.startswith("---\n") or "\n---\n" not in text[4:]:
        raise SkillError(f"skills/{skill}/SKILL.md: expected front matter between two lines of ---")
    head, advice = text[4:].split("\n---\n", 1)
    # Flat `key: text` lines, not YAML: a sentence may hold a colon.
    front = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in head.splitlines())}
    missing = [key for key in ("name", "summary", "needs") if not front.get(key)]
    if missing:
        raise SkillError(f"skills/{skill}/SKILL.md: front matter lacks {', '.join(missing)}")
    return Manifest(front["name"], front["summary"], front["needs"], advice.strip())
