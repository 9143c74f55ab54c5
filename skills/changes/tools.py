"""What the model may ask of the timeline, and what is asked before it speaks."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from typing import Literal

from pydantic import Field

from skills.changes import argocd, github, github_detail
from skills.changes.look import never_ran, verdict
from skills.changes.reading import OWN, Reading, Systems, must_choose, nodes_of, read
from skills.changes.relation import Surroundings
from skills.changes.settings import GitHub
from skills.changes.timeline import Entry, timeline
from skills.contract import (
    Access,
    Change,
    Check,
    Entity,
    Excerpt,
    FirstLook,
    Focus,
    Gap,
    Skill,
    SkillContext,
    Sources,
    Tool,
    ToolError,
    ToolInput,
    ToolResult,
    Window,
)
from skills.rest import NotThere, Rest
from skills.trouble import concerns_all, failed

LOOKBACK = timedelta(hours=24)
"""Before the window: what the first look covers."""
FIRST_LOOK_SECONDS = 8.0
TOOL_SECONDS = 12.0
FRESH_SECONDS = 120.0
MOST_LINES = 40
Kind = Literal["rollout", "scale", "config", "node", "deployment", "release", "merge", "sync", "flag", "other"]


class TimelineInput(ToolInput):
    hours: float = Field(default=24, gt=0, le=720, description="back from now")
    entity: str = Field(default="", description="a name; default: all, related to the alert")
    kinds: tuple[Kind, ...] = ()


class DetailInput(ToolInput):
    id: str = Field(description="of a change, as changes_timeline gives it")


def connect(access: Access) -> Skill:
    return Changes(access)


class Changes:
    """The systems that tell of changes, for one investigation."""

    name = OWN

    def __init__(self, access: Access) -> None:
        self._systems = Systems.of(access)
        self._kept: dict[str, tuple[float, datetime, Reading]] = {}

    @property
    def tools(self) -> Sequence[Tool]:
        return (
            Tool(
                "changes_timeline",
                "All changes in order, each with its time to the onset and its relation to what alerts.",
                TimelineInput,
                self._timeline,
                ("changes", "deployments", "pull requests", "syncs"),
            ),
            Tool(
                "changes_detail",
                "One change: diff, pull request with files and author, sync, deployment states.",
                DetailInput,
                self._detail,
                ("pull requests", "commits", "deployments", "syncs"),
            ),
        )

    @property
    def sources(self) -> Sources:
        code = _Code(self._systems) if self._systems.github is not None else None
        return Sources(changes=_Source(self._systems), code=code)

    def reach(self) -> None:
        """Nothing is asked: what other skills offer needs no system of its own, and one that fails is a gap."""

    def first_look(self, context: SkillContext) -> FirstLook:
        span = Window(context.window.start - LOOKBACK, context.now)
        entries, reading, around = self._entries(context, span.start, _seconds(context))
        onset = context.focus.started_at or context.now
        known = reading.told.is_workload
        said = verdict(entries, around, reading.systems, known, Window(span.start, max(onset, span.start)))
        if not reading.systems and reading.gaps:
            raise ToolError("; ".join(g.why for g in reading.gaps))
        return FirstLook(
            "\n".join(said.lines), said.symptoms, changes=said.changes, gaps=reading.gaps, evidence=said.evidence
        )

    def checks(self) -> Sequence[Check]:
        found = []
        settings = self._systems.settings
        if self._systems.github is not None and settings.github is not None:
            found += _github_checks(self._systems.github, settings.github)
        if self._systems.argocd is not None:
            path = "/api/v1/applications?fields=items.metadata.name"
            found.append(_check("Argo CD", self._systems.argocd, path)[0])
        return found or [Check("changes", True, "what other skills offer, and flag events by webhook")]

    # --- reading -------------------------------------------------------------------------------------------------

    def _entries(
        self, context: SkillContext, since: datetime, seconds: float
    ) -> tuple[list[Entry], Reading, Surroundings]:
        reading = self._read(context, since, seconds)
        around = Surroundings(context.focus, reading.told.edges)
        switched = [_mapped(c, self._systems.settings.flags) for c in context.recorded_changes]
        changes = [c for c in (*reading.told.changes, *switched) if since <= c.at <= context.now]
        if any(c.kind == "node" for c in changes) and not around.nodes:
            around = Surroundings(context.focus, reading.told.edges, nodes_of(context, sorted(around.names)))
        onset = context.focus.started_at or context.now
        happenings = [h for h in reading.happenings if since <= h.at <= context.now]
        return timeline(changes, happenings, around, onset, reading.told.workload), reading, around

    def _read(self, context: SkillContext, since: datetime, seconds: float) -> Reading:
        """What was read a moment ago is not read again, unless other repositories would be asked this time."""
        key = str(sorted(Surroundings(context.focus).names)) if must_choose(self._systems) else ""
        kept = self._kept.get(key)
        if kept and kept[1] <= since and time.monotonic() - kept[0] < FRESH_SECONDS:
            return kept[2]
        reading = read(self._systems, context, since, seconds)
        self._kept[key] = (time.monotonic(), since, reading)
        return reading

    # --- tools ---------------------------------------------------------------------------------------------------

    def _timeline(self, asked: TimelineInput, context: SkillContext) -> ToolResult:
        since = context.now - timedelta(hours=asked.hours)
        entries, reading, _ = self._entries(_about(context, asked.entity), since, TOOL_SECONDS)
        found = [
            e
            for e in entries
            if e.change.at >= since
            and (not asked.kinds or e.change.kind in asked.kinds or any(p.kind in asked.kinds for p in e.parts))
            and (not asked.entity or e.relation.words in ("same workload", "named after it", "its node"))
        ]
        where = f"{Window(since, context.now)}" + (f" about {asked.entity}" if asked.entity else "")
        if not found:
            told = ", ".join(reading.systems) or "nobody that could be asked"
            return ToolResult("no_data", f"no change in {where}, as told by {told}", gaps=reading.gaps)
        shown = found[-MOST_LINES:]
        query = f"changes_timeline {where}"
        lines = tuple(
            Excerpt(e.told + _unseen(e, reading), query, at=e.change.at, entity=e.change.entity) for e in shown
        )
        head = f"{len(found)} changes in {where}, newest last; told by {', '.join(reading.systems)}"
        more = f"; the last {MOST_LINES} are shown" if len(found) > MOST_LINES else ""
        return ToolResult("ok", head + more, lines, gaps=reading.gaps, full="\n".join(e.told for e in found))

    def _detail(self, asked: DetailInput, context: SkillContext) -> ToolResult:
        wanted = asked.id.strip().strip("[]")
        gaps: list[Gap] = []
        lines = self._of_system(wanted)
        if lines is None:
            entries, _, _ = self._entries(context, context.now - timedelta(days=7), TOOL_SECONDS)
            entry = next((e for e in entries if wanted == e.change.id or wanted in {p.id for p in e.parts}), None)
            if entry is None:
                ids = ", ".join(e.change.id for e in entries[-10:])
                return ToolResult(
                    "no_data", f"no change has the id {wanted!r} within 7 days; the last are {ids or 'none'}"
                )
            lines = [*entry.change.evidence]
            for part in entry.parts:
                try:
                    lines += self._of_system(part.id) or [] if part.kind == "merge" else []
                except ToolError as error:
                    gaps.append(Gap(f"what {part.id} changed", str(error)))
        if not lines:
            return ToolResult("no_data", f"nothing is known of {wanted!r}")
        told = f"{wanted}: {lines[0].text.splitlines()[0][:300]}"
        return ToolResult("ok", told, tuple(dict.fromkeys(lines)), gaps=tuple(gaps))

    def _of_system(self, wanted: str) -> list[Excerpt] | None:
        """Asked of GitHub or Argo CD by an id of theirs; None when it is no such id. Raises ToolError."""
        parts = wanted.split("/")
        if parts[0] == "github" and len(parts) >= 5 and self._systems.github is not None:
            repository, what, number = f"{parts[1]}/{parts[2]}", parts[3], "/".join(parts[4:])
            ask = {
                "pull": github_detail.pull,
                "deployment": github_detail.deployment,
                "release": github_detail.release,
                "commit": github_detail.commit,
            }.get(what)
            try:
                return ask(self._systems.github, repository, number) if ask else None
            except NotThere:
                return []
        argo = self._systems.settings.argocd
        if parts[0] == "argocd" and len(parts) == 3 and self._systems.argocd is not None and argo is not None:
            return argocd.detail(self._systems.argocd, argo, parts[1], parts[2])
        return None


def _mapped(change: Change, flags: Mapping[str, str]) -> Change:
    """With the services that the settings say a flag touches."""
    named = [service for pattern, service in flags.items() if fnmatchcase(change.entity.name, pattern)]
    if change.kind != "flag" or not named or not change.evidence:
        return change
    first = change.evidence[0]
    more = (
        replace(first, text=f"{first.text} (touches {s} by the settings)", entity=Entity(kind="Service", name=s))
        for s in dict.fromkeys(named)
    )
    return replace(change, evidence=tuple(more))


def _seconds(context: SkillContext) -> float:
    if context.deadline is None:
        return FIRST_LOOK_SECONDS
    left = (context.deadline - datetime.now(UTC)).total_seconds()
    return max(0.2, min(FIRST_LOOK_SECONDS, left - 1.0))


def _about(context: SkillContext, entity: str) -> SkillContext:
    """The same alert, read around another entity: `Deployment shop/cart`, `shop/cart` or `cart`."""
    if not entity:
        return context
    place, _, name = entity.split()[-1].rpartition("/")
    focus = context.focus
    about = Focus(
        alert_type=focus.alert_type,
        service=name,
        namespace=place or focus.namespace,
        labels={"node": name} if entity.startswith("Node ") else {},
        started_at=focus.started_at,
    )
    return replace(context, focus=about)


def _unseen(entry: Entry, reading: Reading) -> str:
    return "; no rollout was seen to carry it" if never_ran(entry, reading.told.is_workload) else ""


def _github_checks(rest: Rest, settings: GitHub) -> list[Check]:
    """The account first; where that fails, no repository is tried."""
    account, goes_on = _check("GitHub", rest, "/rate_limit")
    found = [account]
    for repository in github.repositories(settings, (), {})[:20] if goes_on else ():
        found.append(_check(repository.name, rest, f"/repos/{repository.name}")[0])
    return found


def _check(what: str, rest: Rest, path: str) -> tuple[Check, bool]:
    """Whether a path may be read, and whether another may be tried after it."""
    plain, _, query = path.partition("?")
    try:
        rest.get(plain, [(k, v) for k, _, v in (p.partition("=") for p in query.split("&") if p)])
    except ToolError as error:
        return failed(what, error, "look at what the token may read"), not concerns_all(error)
    return Check(what, True, rest.door.party.shown), True


class _Source:
    """A ChangeSource of what GitHub and Argo CD tell; what other skills tell is theirs to offer."""

    def __init__(self, systems: Systems) -> None:
        self._systems = systems

    def changes(self, window: Window, namespace: str = "") -> tuple[Change, ...]:
        """Raises ToolError when nothing could be read."""
        focus = Focus(namespace=namespace, started_at=window.end)
        context = SkillContext(focus, window.end, window, window.before())
        reading = read(self._systems, context, window.start, TOOL_SECONDS)
        if reading.gaps and not reading.systems:
            raise ToolError("; ".join(g.why for g in reading.gaps))
        happenings = [h for h in reading.happenings if window.start <= h.at <= window.end]
        entries = timeline((), happenings, Surroundings(focus), window.end, lambda name: None)
        return tuple(e.change for e in entries if not namespace or e.change.entity.namespace in (None, namespace))


class _Code:
    """A CodeSource: who last touched a file that a stack trace names."""

    def __init__(self, systems: Systems) -> None:
        self._systems = systems

    def last_touched(self, path: str, line: int, service: str = "") -> Change | None:
        """Raises ToolError."""
        rest, settings = self._systems.github, self._systems.settings.github
        if rest is None or settings is None:
            return None
        wanted = github.repositories(settings, (service,) if service else (), {})
        for repository in wanted[:3]:
            found = github_detail.last_touched(rest, repository.name, path, time.monotonic() + TOOL_SECONDS)
            if found is None:
                continue
            seen, where = found
            name = service or (repository.services[0] if repository.services else repository.name)
            told = f"{where}:{line}: {seen.summary}"
            return Change(
                seen.id, seen.at, Entity(kind="Service", name=name), told, "merge", seen.author, seen.evidence
            )
        return None
