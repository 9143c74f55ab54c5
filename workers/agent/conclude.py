"""The typed input of the last tool call: the finding (DESIGN.md, section 4) less what code adds to it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from workers.domain import Band, Finding, Verdict
from workers.llm.entities import parse

NAME = "conclude"
DESCRIPTION = "End the investigation with your verdict. Sent back once, with the reasons, if it breaks a rule."


def _numbers(value: Any) -> Any:
    """Models write `E3`, `[E3]` and "E3, E5"."""
    if isinstance(value, str):
        value = value.replace(",", " ").split()
    return [v.strip("[] ") if isinstance(v, str) else v for v in value] if isinstance(value, list | tuple) else value


Ids = Annotated[tuple[str, ...], BeforeValidator(_numbers), WithJsonSchema({"type": "string"})]
"""Shown to a model as a string, `E1, E3`; a list is taken as well."""


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class EntityRef(Part):
    kind: str
    namespace: str | None = None
    name: str


def _spelt(value: Any) -> Any:
    """`Deployment shop/cart`, which costs a model fewer tokens than an object, and is what it reads everywhere."""
    entity = parse(value) if isinstance(value, str) else None
    return entity.model_dump() if entity is not None else value


Named = Annotated[EntityRef, BeforeValidator(_spelt), WithJsonSchema({"type": "string"})]


class ClaimDraft(Part):
    text: str = Field(max_length=1000)
    evidence: Ids = ()


class CauseDraft(Part):
    entity: Named
    """The object whose spec or state is wrong; never a Pod."""
    fault: str
    summary: str = Field(max_length=1000)
    onset: datetime | None = None
    change: str = "unknown"
    confidence: Band = "medium"
    evidence: Ids = ()


class ChainDraft(Part):
    source: Named = Field(alias="from")
    target: Named = Field(alias="to")
    evidence: Ids = ()


class RuledOutDraft(Part):
    fault: str | None = None
    change: str | None = None
    why: str = Field(max_length=1000)
    evidence: Ids = ()


class GapDraft(Part):
    what: str
    why: str


class Draft(Part):
    """A finding as a model proposes it."""

    verdict: Verdict
    headline: ClaimDraft
    impact: ClaimDraft | None = None
    causes: tuple[CauseDraft, ...] = Field(default=(), max_length=3)
    chain: tuple[ChainDraft, ...] = ()
    ruled_out: tuple[RuledOutDraft, ...] = ()
    gaps: tuple[GapDraft, ...] = ()
    next: tuple[str, ...] = ()


def finding_schema() -> dict[str, Any]:
    """JSON schema of a finding, as `gumshoe schema finding` prints it."""
    return Finding.model_json_schema(by_alias=True, mode="serialization")
