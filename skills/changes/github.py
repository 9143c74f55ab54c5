"""GitHub: deployments, releases and merged pull requests of a service's repository.

API: docs.github.com, REST API version 2022-11-28 (repos/deployments, repos/releases, pulls, commits; pagination by the
Link header; rate limits by 403 and 429 with x-ratelimit-remaining or retry-after).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Any

from skills.changes.happening import SHORT_SHA, Happening, revisions_in
from skills.changes.settings import GitHub
from skills.contract import Access, Excerpt, Gap, ToolError
from skills.rest import Door, NotThere, Rest, at, moment, rows, text

PAGE = 50
PAGES = 3
PARALLEL = 8


def door(settings: GitHub, access: Access) -> Rest:
    headers = {
        "Accept": "application/vnd.github+json",
        "X-GitHub-Api-Version": "2022-11-28",
        "User-Agent": "gumshoe",  # without one, GitHub answers 403
    }
    if settings.token_env and (token := access.secret(settings.token_env)):
        headers["Authorization"] = f"Bearer {token}"
    way = Door("GitHub", settings.url, headers, "github.token_env", settings.verify_tls, settings.ca_file)
    return Rest(way, access.meter, access.timeout_seconds)


@dataclass(frozen=True)
class Repository:
    name: str
    """owner/repository"""
    services: tuple[str, ...]
    """Who is built from it."""


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


def happenings(
    rest: Rest, settings: GitHub, asked: Sequence[Repository], since: datetime, until: float
) -> tuple[list[Happening], list[Gap]]:
    """What these repositories tell since a time. What could not be read is a gap, one for each reason."""
    jobs = [(part, repository) for repository in asked for part in (_deployments, _releases, _merges)]

    def run(job: tuple[_Part, Repository]) -> list[Happening] | ToolError:
        part, repository = job
        try:
            return part(rest, settings, repository, since, until)
        except ToolError as error:
            return error

    with ThreadPoolExecutor(PARALLEL) as pool:
        answers = list(pool.map(run, jobs))
    found = [h for answer in answers if not isinstance(answer, ToolError) for h in answer]
    written = set(settings.repositories.values())
    failed = [
        (job[1].name, answer)
        for job, answer in zip(jobs, answers, strict=True)
        if isinstance(answer, ToolError)
        # A repository that a pattern guessed need not exist; one that an operator wrote down must.
        and not (isinstance(answer, NotThere) and job[1].name not in written)
    ]
    return found, _gaps(failed, len(jobs))


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


_Part = Callable[[Rest, GitHub, Repository, datetime, float], list[Happening]]


def _some(names: Sequence[str]) -> str:
    unique = list(dict.fromkeys(names))
    return ", ".join(unique[:3]) + (f" and {len(unique) - 3} more" if len(unique) > 3 else "")


def _deployments(
    rest: Rest, settings: GitHub, repository: Repository, since: datetime, until: float
) -> list[Happening]:
    path = f"/repos/{repository.name}/deployments"
    found = []
    for row in _pages(rest, path, (("per_page", str(PAGE)),), until, lambda r: _before(r, "created_at", since)):
        when, environment = moment(row, "created_at"), text(row, "environment")
        if when is None or when < since or not _counts(environment, settings):
            continue
        number, ref, sha = text(row, "id"), text(row, "ref"), text(row, "sha")
        author = text(row, "creator", "login") or None
        shown = ref if ref != sha and ref else sha[:SHORT_SHA]
        words = f"deployment of {shown} to {environment or 'an environment'}"
        told = f"GitHub {repository.name} {words} at {when:%Y-%m-%dT%H:%M:%SZ}" + (f" by {author}" if author else "")
        touched = _touched(repository, environment, ref, text(row, "payload", "service"), text(row, "description"))
        found.append(
            Happening(
                f"github/{repository.name}/deployment/{number}",
                when,
                "deployment",
                words,
                touched,
                (Excerpt(told, f"GET {path}", link=_web(rest, repository, "deployments"), at=when),),
                author,
                revisions=frozenset((*revisions_in(ref), sha[:SHORT_SHA])) - {""},
                repository=repository.name,
            )
        )
    return found


_ELSEWHERE = frozenset({"staging", "stage", "dev", "development", "test", "testing", "qa", "uat", "preview", "sandbox"})


def _counts(environment: str, settings: GitHub) -> bool:
    """Whether a deployment went where the alert is: to an environment of the settings, else to none that is, by its
    name, for trying things out."""
    if settings.environments:
        return environment in settings.environments
    return not _ELSEWHERE & set(re.split(r"[^a-z]+", environment.casefold()))


def _releases(rest: Rest, settings: GitHub, repository: Repository, since: datetime, until: float) -> list[Happening]:
    path = f"/repos/{repository.name}/releases"
    found = []
    for row in _pages(rest, path, (("per_page", str(PAGE)),), until, lambda r: _before(r, "created_at", since)):
        when, tag = moment(row, "published_at"), text(row, "tag_name")
        if when is None or when < since:
            continue
        author = text(row, "author", "login") or None
        title = text(row, "name")
        words = f"release {tag}" + (f' "{title}"' if title and title != tag else "")
        told = f"GitHub {repository.name} {words} published {when:%Y-%m-%dT%H:%M:%SZ}"
        found.append(
            Happening(
                f"github/{repository.name}/release/{tag}",
                when,
                "release",
                words,
                _touched(repository, tag, title),
                (Excerpt(told + (f" by {author}" if author else ""), f"GET {path}", link=_link(row), at=when),),
                author,
                revisions=revisions_in(tag, text(row, "target_commitish")),
                repository=repository.name,
            )
        )
    return found


def _merges(rest: Rest, settings: GitHub, repository: Repository, since: datetime, until: float) -> list[Happening]:
    """Closed pull requests, last updated first: none that was merged since can stand behind one not updated since."""
    path = f"/repos/{repository.name}/pulls"
    asked = (("state", "closed"), ("sort", "updated"), ("direction", "desc"), ("per_page", str(PAGE)))
    found = []
    for row in _pages(rest, path, asked, until, lambda r: _before(r, "updated_at", since)):
        when = moment(row, "merged_at")
        if when is None or when < since:
            continue
        number, title, sha = text(row, "number"), text(row, "title"), text(row, "merge_commit_sha")
        author = text(row, "user", "login") or None
        labels = [text(label, "name") for label in rows(row, "labels")]
        words = f'PR #{number} "{title[:120]}"' + (f" by {author}" if author else "")
        told = f"GitHub {repository.name} {words} merged {when:%Y-%m-%dT%H:%M:%SZ} as {sha[:SHORT_SHA] or '?'}"
        found.append(
            Happening(
                f"github/{repository.name}/pull/{number}",
                when,
                "merge",
                words,
                _touched(repository, *labels, title.partition(":")[0]),
                (Excerpt(told, f"GET {path}?state=closed", link=_link(row), at=when),),
                author,
                revisions=frozenset({sha[:SHORT_SHA]} - {""}),
                repository=repository.name,
            )
        )
    return found


def _pages(
    rest: Rest, path: str, asked: Sequence[tuple[str, str]], until: float, old: Callable[[Mapping[str, Any]], bool]
) -> Iterable[Mapping[str, Any]]:
    """Rows, newest first, until they are older than what is asked for, or for three pages."""
    for page in range(1, PAGES + 1):
        more = (("page", str(page)),) if page > 1 else ()
        answer = rest.get(path, (*asked, *more), until=until)
        if not isinstance(answer.data, list):
            raise ToolError(f"GitHub answered GET {path} without a list")
        here = [row for row in answer.data if isinstance(row, Mapping)]
        yield from here
        if not answer.has_next or not here or old(here[-1]):
            return


def _before(row: Mapping[str, Any], field: str, since: datetime) -> bool:
    when = moment(row, field)
    return when is not None and when < since


def _touched(repository: Repository, *words: str) -> tuple[str, ...]:
    """Which of the services that live in one repository; empty when nothing says which."""
    if len(repository.services) <= 1:
        return repository.services
    spoken = {part for word in words for part in _parts(word)}
    return tuple(s for s in repository.services if s.casefold() in spoken)


def _parts(word: str) -> Iterable[str]:
    """`service:cart`, `production/cart`, `cart-v1.2.3`, `fix(cart)`: the names in them."""
    text_ = word.casefold()
    for mark in "/:@()[], ":
        text_ = text_.replace(mark, " ")
    for part in text_.split():
        yield part
        head, _, tail = part.rpartition("-")
        if head and tail.lstrip("v")[:1].isdigit():
            yield head


def _link(row: Mapping[str, Any]) -> str | None:
    found = text(row, "html_url")
    return found if found.startswith(("https://", "http://")) else None


def _web(rest: Rest, repository: Repository, page: str) -> str | None:
    """The web address beside an API address: github.com for api.github.com, the same host for Enterprise Server."""
    base = rest.door.base.rstrip("/")
    if base == "https://api.github.com":
        return f"https://github.com/{repository.name}/{page}"
    return f"{base.removesuffix('/api/v3')}/{repository.name}/{page}" if base.endswith("/api/v3") else None


# One change in full


def pull(rest: Rest, repository: str, number: str) -> list[Excerpt]:
    """Title, people, words, files and the beginning of each diff. Raises ToolError."""
    path = f"/repos/{repository}/pulls/{number}"
    row = rest.get(path).data
    link, when = _link(row), moment(row, "merged_at")
    lines = [
        f'PR #{number} "{text(row, "title")}" by {text(row, "user", "login")}, merged {text(row, "merged_at") or "not"}'
        f" by {text(row, 'merged_by', 'login') or 'nobody'} into {text(row, 'base', 'ref')} as"
        f" {text(row, 'merge_commit_sha')[:SHORT_SHA]}; {text(row, 'changed_files')} files,"
        f" +{text(row, 'additions')} -{text(row, 'deletions')}"
    ]
    if body := " ".join(text(row, "body").split())[:500]:
        lines.append(f"description: {body}")
    out = [Excerpt(line, f"GET {path}", link=link, at=when) for line in lines]
    return out + _files(rest.get(f"{path}/files", (("per_page", "100"),)).data, f"GET {path}/files", link)


def commit(rest: Rest, repository: str, sha: str) -> list[Excerpt]:
    """Raises ToolError."""
    path = f"/repos/{repository}/commits/{sha}"
    row = rest.get(path).data
    when = moment(row, "commit", "committer", "date") or moment(row, "commit", "author", "date")
    first = text(row, "commit", "message").splitlines()[:1]
    author = text(row, "author", "login") or text(row, "commit", "author", "name")
    head = f"commit {text(row, 'sha')[:SHORT_SHA]} by {author}: {first[0] if first else ''}"
    return [
        Excerpt(head, f"GET {path}", link=_link(row), at=when),
        *_files(at(row, "files"), f"GET {path}", _link(row)),
    ]


def deployment(rest: Rest, repository: str, number: str) -> list[Excerpt]:
    """The deployment, its last states, and the commit that it took. Raises ToolError."""
    path = f"/repos/{repository}/deployments/{number}"
    row = rest.get(path).data
    words = (
        f"deployment {number} of {text(row, 'ref')} ({text(row, 'sha')[:SHORT_SHA]}) to {text(row, 'environment')} by "
        f"{text(row, 'creator', 'login')}, created {text(row, 'created_at')}"
    )
    out = [Excerpt(words, f"GET {path}", at=moment(row, "created_at"))]
    states = rest.get(f"{path}/statuses", (("per_page", "10"),)).data
    for state in rows({"states": states}, "states")[:5]:
        said = text(state, "description")
        words = f"state {text(state, 'state')} at {text(state, 'created_at')}" + (f": {said}" if said else "")
        out.append(Excerpt(words, f"GET {path}/statuses", at=moment(state, "created_at")))
    return out + (commit(rest, repository, text(row, "sha")) if text(row, "sha") else [])


def release(rest: Rest, repository: str, tag: str) -> list[Excerpt]:
    """Raises ToolError."""
    path = f"/repos/{repository}/releases/tags/{tag}"
    row = rest.get(path).data
    link, when = _link(row), moment(row, "published_at")
    head = f"release {tag} by {text(row, 'author', 'login')}, published {text(row, 'published_at')}"
    body = [line.strip() for line in text(row, "body").splitlines() if line.strip()]
    return [Excerpt(line[:300], f"GET {path}", link=link, at=when) for line in (head, *body[:15])]


MOST_FILES = 20
PATCH_LINES = 24
PATCHES = 6


def _files(found: Any, query: str, link: str | None) -> list[Excerpt]:
    files = rows({"files": found}, "files")
    out = []
    for i, one in enumerate(files[:MOST_FILES]):
        words = f"{text(one, 'status')} {text(one, 'filename')} +{text(one, 'additions')} -{text(one, 'deletions')}"
        patch = text(one, "patch").splitlines() if i < PATCHES else []
        kept = [line[:200] for line in patch if line[:1] in "+-@"][:PATCH_LINES]
        out.append(Excerpt("\n".join((words, *kept)), query, link=link))
    if len(files) > MOST_FILES:
        out.append(Excerpt(f"{len(files) - MOST_FILES} more files", query, link=link))
    return out


# The commit that last touched a file


MOST_GUESSES = 4


def last_touched(rest: Rest, repository: str, path: str, until: float) -> tuple[Happening, str] | None:
    """The last commit of the file that a stack trace names, and its path in the repository. The trace's path begins
    somewhere in the image (/app/cart/api.py), so that ever shorter ends of it are tried. Raises ToolError."""
    parts = [p for p in path.replace("\\", "/").split("/") if p not in ("", ".", "..")]
    for begin in range(max(0, len(parts) - MOST_GUESSES), len(parts)):
        guess = "/".join(parts[begin:])
        asked = (("path", guess), ("per_page", "1"))
        answer = rest.get(f"/repos/{repository}/commits", asked, until=until)
        found = rows({"commits": answer.data}, "commits")
        if not found:
            continue
        row = found[0]
        when = moment(row, "commit", "committer", "date")
        sha = text(row, "sha")
        if when is None or not sha:
            continue
        author = text(row, "author", "login") or text(row, "commit", "author", "name") or None
        first = (text(row, "commit", "message").splitlines() or [""])[0]
        words = f'commit {sha[:SHORT_SHA]} "{first[:120]}"' + (f" by {author}" if author else "")
        told = f"GitHub {repository}: {guess} was last touched {when:%Y-%m-%dT%H:%M:%SZ} by {words}"
        seen = Excerpt(told, f"GET /repos/{repository}/commits?path={guess}", link=_link(row), at=when)
        return (
            Happening(
                f"github/{repository}/commit/{sha[:SHORT_SHA]}",
                when,
                "merge",
                words,
                (),
                (seen,),
                author,
                repository=repository,
            ),
            guess,
        )
    return None
