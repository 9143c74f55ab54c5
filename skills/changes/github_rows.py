"""One row of GitHub's answers as a happening: a deployment, a release, a merged pull request."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from skills.changes.happening import SHORT_SHA, Happening, revisions_in
from skills.changes.settings import GitHub
from skills.contract import Excerpt
from skills.rest import Rest, moment, rows, text

_ELSEWHERE = frozenset({"staging", "stage", "dev", "development", "test", "testing", "qa", "uat", "preview", "sandbox"})


@dataclass(frozen=True)
class Repository:
    name: str
    """owner/repository"""
    services: tuple[str, ...]
    """Who is built from it."""


def deployment(rest: Rest, settings: GitHub, repository: Repository, row: Mapping[str, Any]) -> Happening | None:
    when, environment = moment(row, "created_at"), text(row, "environment")
    if when is None or not _counts(environment, settings):
        return None
    ref, sha = text(row, "ref"), text(row, "sha")
    author = text(row, "creator", "login") or None
    shown = ref if ref != sha and ref else sha[:SHORT_SHA]
    words = f"deployment of {shown} to {environment or 'an environment'}"
    told = f"GitHub {repository.name} {words} at {when:%Y-%m-%dT%H:%M:%SZ}" + (f" by {author}" if author else "")
    query = f"GET /repos/{repository.name}/deployments"
    return Happening(
        f"github/{repository.name}/deployment/{text(row, 'id')}",
        when,
        "deployment",
        words,
        _touched(repository, environment, ref, text(row, "payload", "service"), text(row, "description")),
        (Excerpt(told, query, link=_web(rest, repository, "deployments"), at=when),),
        author,
        revisions=frozenset((*revisions_in(ref), sha[:SHORT_SHA])) - {""},
        repository=repository.name,
    )


def release(rest: Rest, settings: GitHub, repository: Repository, row: Mapping[str, Any]) -> Happening | None:
    when, tag = moment(row, "published_at"), text(row, "tag_name")
    if when is None:
        return None
    author, title = text(row, "author", "login") or None, text(row, "name")
    words = f"release {tag}" + (f' "{title}"' if title and title != tag else "")
    told = f"GitHub {repository.name} {words} published {when:%Y-%m-%dT%H:%M:%SZ}" + (f" by {author}" if author else "")
    return Happening(
        f"github/{repository.name}/release/{tag}",
        when,
        "release",
        words,
        _touched(repository, tag, title),
        (Excerpt(told, f"GET /repos/{repository.name}/releases", link=link(row), at=when),),
        author,
        revisions=revisions_in(tag, text(row, "target_commitish")),
        repository=repository.name,
    )


def merge(rest: Rest, settings: GitHub, repository: Repository, row: Mapping[str, Any]) -> Happening | None:
    """None for a pull request that was closed without being merged."""
    when = moment(row, "merged_at")
    if when is None:
        return None
    number, title, sha = text(row, "number"), text(row, "title"), text(row, "merge_commit_sha")
    author = text(row, "user", "login") or None
    labels = [text(label, "name") for label in rows(row, "labels")]
    words = f'PR #{number} "{title[:120]}"' + (f" by {author}" if author else "")
    told = f"GitHub {repository.name} {words} merged {when:%Y-%m-%dT%H:%M:%SZ} as {sha[:SHORT_SHA] or '?'}"
    return Happening(
        f"github/{repository.name}/pull/{number}",
        when,
        "merge",
        words,
        _touched(repository, *labels, title.partition(":")[0]),
        (Excerpt(told, f"GET /repos/{repository.name}/pulls?state=closed", link=link(row), at=when),),
        author,
        revisions=frozenset({sha[:SHORT_SHA]} - {""}),
        repository=repository.name,
    )


def _counts(environment: str, settings: GitHub) -> bool:
    """Whether a deployment went where the alert is: to an environment of the settings, else to none that is, by its
    name, for trying things out."""
    if settings.environments:
        return environment in settings.environments
    return not _ELSEWHERE & set(re.split(r"[^a-z]+", environment.casefold()))


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


def link(row: Mapping[str, Any]) -> str | None:
    found = text(row, "html_url")
    return found if found.startswith(("https://", "http://")) else None


def _web(rest: Rest, repository: Repository, page: str) -> str | None:
    """The web address beside an API address: github.com for api.github.com, the same host for Enterprise Server."""
    base = rest.door.base.rstrip("/")
    if base == "https://api.github.com":
        return f"https://github.com/{repository.name}/{page}"
    return f"{base.removesuffix('/api/v3')}/{repository.name}/{page}" if base.endswith("/api/v3") else None
