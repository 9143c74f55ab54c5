"""GitHub: deployments, releases and merged pull requests of a service's repository.

API: docs.github.com, REST API version 2022-11-28 (repos/deployments, repos/releases, pulls; pagination by the Link
header; rate limits by 403 and 429 with x-ratelimit-remaining or retry-after).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Any

from skills.changes import github_rows
from skills.changes.github_rows import Repository
from skills.changes.happening import Happening
from skills.changes.settings import GitHub
from skills.contract import Access, Gap, ToolError
from skills.rest import Asked, Door, NotThere, Rest, moment
from skills.trouble import Key, Party, secrets_of

PAGE = 50
PAGES = 3
PARALLEL = 8


def door(settings: GitHub, access: Access) -> Rest:
    headers = {
        "Accept": "application/vnd.github+json",
        "X-GitHub-Api-Version": "2022-11-28",
        "User-Agent": "gumshoe",  # without one, GitHub answers 403
    }
    token = access.secret(settings.token_env) if settings.token_env else None
    if token:
        headers["Authorization"] = f"Bearer {token}"
    party = Party(
        "GitHub",
        "skills.changes.github",
        settings.url,
        (Key("token_env", settings.token_env, bool(token)),),
        needs="read contents, deployments and pull requests of the repository",
        holds="repositories",
        secrets=secrets_of(token),
    )
    return Rest(Door(party, headers, settings.verify_tls, settings.ca_file), access.meter, access.timeout_seconds)


def repositories(settings: GitHub, services: Iterable[str], labels: Mapping[str, str]) -> list[Repository]:
    """Of these services, in their order; then those that the settings name besides."""
    found: dict[str, list[str]] = {}
    named = [s for s in settings.repositories if not any(c in s for c in "*?[")]
    for service in dict.fromkeys((*services, *named)):
        if name := _of(settings, service):
            found.setdefault(name, []).append(service)
    if (told := labels.get(settings.repository_label, "")).count("/") == 1 and told not in found:
        found = {told: [], **found}
    return [Repository(name, tuple(of)) for name, of in found.items()]


def _of(settings: GitHub, service: str) -> str:
    exact = settings.repositories.get(service)
    patterns = (r for p, r in settings.repositories.items() if fnmatchcase(service, p))
    return (exact or next(patterns, "")).replace("{service}", service)


@dataclass(frozen=True)
class _Question:
    part: str
    """The end of the path."""
    asked: Asked
    field: str
    """The time by which the answer is sorted, newest first."""
    read: Callable[[Rest, GitHub, Repository, Mapping[str, Any]], Happening | None]


_QUESTIONS = (
    _Question("deployments", (), "created_at", github_rows.deployment),
    _Question("releases", (), "created_at", github_rows.release),
    # Last updated first: none that was merged since can stand behind one that was not updated since.
    _Question(
        "pulls", (("state", "closed"), ("sort", "updated"), ("direction", "desc")), "updated_at", github_rows.merge
    ),
)


def happenings(
    rest: Rest, settings: GitHub, asked: Sequence[Repository], since: datetime, until: float
) -> tuple[list[Happening], list[Gap]]:
    """What these repositories tell since a time. What could not be read is a gap, one for each reason."""
    jobs = [(question, repository) for repository in asked for question in _QUESTIONS]

    def run(job: tuple[_Question, Repository]) -> tuple[list[Happening], ToolError | None]:
        question, repository = job
        try:
            rows, whole = _rows(rest, f"/repos/{repository.name}/{question.part}", question, since, until)
        except ToolError as error:
            return [], error
        read = (question.read(rest, settings, repository, row) for row in rows)
        cut = (
            None if whole else ToolError(f"only the newest {len(rows)} {question.part} were read; ask for fewer hours")
        )
        return [h for h in read if h is not None and h.at >= since], cut

    with ThreadPoolExecutor(PARALLEL) as pool:
        answers = list(pool.map(run, jobs))
    written = set(settings.repositories.values())
    failed = [
        (repository.name, error)
        for (_, repository), (_, error) in zip(jobs, answers, strict=True)
        # A repository that a pattern guessed need not exist; one that an operator wrote down must.
        if error is not None and not (isinstance(error, NotThere) and repository.name not in written)
    ]
    return [h for found, _ in answers for h in found], _gaps(failed, len(jobs))


def _rows(
    rest: Rest, path: str, question: _Question, since: datetime, until: float
) -> tuple[list[Mapping[str, Any]], bool]:
    """Rows, newest first, until they are older than `since`, and whether three pages reach so far. Raises ToolError."""
    found: list[Mapping[str, Any]] = []
    for page in range(1, PAGES + 1):
        more = (("page", str(page)),) if page > 1 else ()
        answer = rest.get(path, (*question.asked, ("per_page", str(PAGE)), *more), until=until)
        if not isinstance(answer.data, list):
            raise ToolError(f"GitHub answered GET {path} without a list")
        here = [row for row in answer.data if isinstance(row, Mapping)]
        found += here
        last = moment(here[-1], question.field) if here else None
        if not answer.has_next or last is None or last < since:
            return found, True
    return found, False


def _gaps(failed: Sequence[tuple[str, ToolError]], asked: int) -> list[Gap]:
    """One for a server that fails everywhere, whatever words it finds for each request; else one for each reason."""
    if failed and len(failed) == asked:
        return [Gap(f"GitHub: all {asked} questions about {_some([name for name, _ in failed])}", str(failed[0][1]))]
    first: dict[str, str] = {}
    for name, error in failed:
        first.setdefault(name, str(error))
    reasons: dict[str, list[str]] = {}
    for name, why in first.items():
        reasons.setdefault(why, []).append(name)
    return [Gap(f"GitHub: {_some(names)}", why) for why, names in reasons.items()]


def _some(names: Sequence[str]) -> str:
    unique = list(dict.fromkeys(names))
    return ", ".join(unique[:3]) + (f" and {len(unique) - 3} more" if len(unique) > 3 else "")
