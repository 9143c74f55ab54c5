"""How the skill is connected and checked; the questions themselves are those of every log system (logview)."""

from __future__ import annotations

from collections.abc import Sequence

from skills.contract import Access, Check, FirstLook, SkillContext, Sources, Tool, ToolError
from skills.logview.look import first_look
from skills.logview.tools import tools
from skills.loki.client import Client
from skills.loki.labels import layout
from skills.loki.reading import Reader
from skills.loki.settings import Settings
from skills.trouble import failed

__all__ = ["Settings", "connect"]


def connect(access: Access) -> Loki:
    return Loki(access)


class Loki:
    """The skill. Nothing is sent before the first question."""

    name = "loki"

    def __init__(self, access: Access) -> None:
        self._reader = Reader(Client(access))

    @property
    def sources(self) -> Sources:
        return Sources(logs=self._reader)

    @property
    def tools(self) -> Sequence[Tool]:
        return tools(self._reader)

    def reach(self) -> None:
        """The names of labels: it needs no more rights than reading does. Raises ToolError."""
        self._reader.client.labels()

    def first_look(self, context: SkillContext) -> FirstLook:
        return first_look(self._reader, context)

    def checks(self) -> Sequence[Check]:
        try:
            names = self._reader.client.labels()
        except ToolError as error:
            return (failed("read labels", error, "check url, org_id and credentials of skills.loki"),)
        reached = Check("read labels", True, f"{len(names)} labels")
        known = layout(names, (), self._reader.settings.labels)
        missing = [role for role in ("namespace", "pod") if not known.one(role)]
        detail = f"no label for {' and '.join(missing)} (they may be structured metadata)" if missing else "all found"
        return (reached, Check("labels", bool(names), detail, "name them under labels:"))
