"""How the skill is connected and checked; the questions themselves are those of every log system (logview)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from skills.contract import Access, Check, FirstLook, SkillContext, Sources, Tool, ToolError
from skills.elasticsearch.client import Client
from skills.elasticsearch.reading import Reader
from skills.elasticsearch.settings import Settings
from skills.logview.look import first_look
from skills.logview.tools import tools
from skills.trouble import failed

__all__ = ["Settings", "connect"]


def connect(access: Access) -> Elasticsearch:
    return Elasticsearch(access)


class Elasticsearch:
    """The skill. Nothing is imported from the vendor or sent before the first question."""

    name = "elasticsearch"

    def __init__(self, access: Access) -> None:
        self._reader = Reader(Client(access))

    @property
    def sources(self) -> Sources:
        return Sources(logs=self._reader)

    @property
    def tools(self) -> Sequence[Tool]:
        return tools(self._reader)

    def reach(self) -> None:
        """One search of nothing: it needs no more rights than reading does. Raises ToolError."""
        answer = self._reader.client.search({"size": 0, "query": {"match_all": {}}, "terminate_after": 1})
        if answer.shards == 0:
            raise ToolError(f"no index matches {self._reader.client.settings.index!r}: check index")

    def first_look(self, context: SkillContext) -> FirstLook:
        return first_look(self._reader, context)

    def checks(self) -> Sequence[Check]:
        return tuple(_checks(self))


@dataclass(frozen=True)
class _Step:
    what: str
    ask: Callable[[], object]
    remedy: str


def _checks(skill: Elasticsearch) -> list[Check]:
    client = skill._reader.client
    index = client.settings.index
    steps = (
        _Step(f"search {index}", skill.reach, "check url, index and credentials; the privilege `read` is needed"),
        _Step(f"fields of {index}", lambda: skill._reader.layout, "grant `view_index_metadata` on the index"),
    )
    checks = []
    for step in steps:
        try:
            step.ask()
            checks.append(Check(step.what, True, "plain JSON" if client.plain else "ok"))
        except ToolError as error:
            checks.append(failed(step.what, error, step.remedy))
            return checks
    layout = skill._reader.layout
    roles = [role for role in ("timestamp", "message", "level", "namespace", "pod") if not layout.one(role)]
    detail = f"no field for {', '.join(roles)}" if roles else "all found"
    checks.append(Check("field layout", not {"timestamp", "message"} & set(roles), detail, "name them under fields:"))
    return checks
