"""One change of GitHub in full, and the commit that last touched a file. Each raises ToolError.

API: docs.github.com, REST API version 2022-11-28 (pulls, pulls/files, commits, deployments/statuses, releases/tags).
"""

from __future__ import annotations

from typing import Any

from skills.changes.github_rows import link
from skills.changes.happening import SHORT_SHA, Happening
from skills.contract import Excerpt
from skills.rest import Rest, at, moment, rows, text


def pull(rest: Rest, repository: str, number: str) -> list[Excerpt]:
    """Title, people, words, files and the beginning of each diff. Raises ToolError."""
    path = f"/repos/{repository}/pulls/{number}"
    row = rest.get(path).data
    web, when = link(row), moment(row, "merged_at")
    lines = [
        f'PR #{number} "{text(row, "title")}" by {text(row, "user", "login")}, merged {text(row, "merged_at") or "not"}'
        f" by {text(row, 'merged_by', 'login') or 'nobody'} into {text(row, 'base', 'ref')} as"
        f" {text(row, 'merge_commit_sha')[:SHORT_SHA]}; {text(row, 'changed_files')} files,"
        f" +{text(row, 'additions')} -{text(row, 'deletions')}"
    ]
    if body := " ".join(text(row, "body").split())[:500]:
        lines.append(f"description: {body}")
    out = [Excerpt(line, f"GET {path}", link=web, at=when) for line in lines]
    return out + _files(rest.get(f"{path}/files", (("per_page", "100"),)).data, f"GET {path}/files", web)


def commit(rest: Rest, repository: str, sha: str) -> list[Excerpt]:
    """Raises ToolError."""
    path = f"/repos/{repository}/commits/{sha}"
    row = rest.get(path).data
    when = moment(row, "commit", "committer", "date") or moment(row, "commit", "author", "date")
    first = text(row, "commit", "message").splitlines()[:1]
    author = text(row, "author", "login") or text(row, "commit", "author", "name")
    head = f"commit {text(row, 'sha')[:SHORT_SHA]} by {author}: {first[0] if first else ''}"
    return [
        Excerpt(head, f"GET {path}", link=link(row), at=when),
        *_files(at(row, "files"), f"GET {path}", link(row)),
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
    web, when = link(row), moment(row, "published_at")
    head = f"release {tag} by {text(row, 'author', 'login')}, published {text(row, 'published_at')}"
    body = [line.strip() for line in text(row, "body").splitlines() if line.strip()]
    return [Excerpt(line[:300], f"GET {path}", link=web, at=when) for line in (head, *body[:15])]


MOST_FILES = 20
PATCH_LINES = 24
PATCHES = 6


def _files(found: Any, query: str, web: str | None) -> list[Excerpt]:
    files = rows({"files": found}, "files")
    out = []
    for i, one in enumerate(files[:MOST_FILES]):
        words = f"{text(one, 'status')} {text(one, 'filename')} +{text(one, 'additions')} -{text(one, 'deletions')}"
        patch = text(one, "patch").splitlines() if i < PATCHES else []
        kept = [line[:200] for line in patch if line[:1] in "+-@"][:PATCH_LINES]
        out.append(Excerpt("\n".join((words, *kept)), query, link=web))
    if len(files) > MOST_FILES:
        out.append(Excerpt(f"{len(files) - MOST_FILES} more files", query, link=web))
    return out


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
        seen = Excerpt(told, f"GET /repos/{repository}/commits?path={guess}", link=link(row), at=when)
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
