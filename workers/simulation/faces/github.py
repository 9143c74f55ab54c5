"""The GitHub REST API of the world: repositories of the services, their pull requests, commits, releases, deployments.

Shapes: docs.github.com/rest, version 2022-11-28. What is not done is answered 404 with GitHub's body, and counted.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

from workers.simulation import clock, dice
from workers.simulation.deliveries import Deliveries, Delivery, File, Merge
from workers.simulation.faces.exchange import Ask, Reply, as_json
from workers.simulation.scene import Scene

Json = dict[str, Any]
DOCS = "https://docs.github.com/rest"
API = "https://api.github.com"
LIMIT = 5000


class GitHub:
    def __init__(self, scene: Scene) -> None:
        self._world = scene.world
        self._made = Deliveries(scene.world)
        self.refused: Counter[str] = Counter()
        self._used = 0

    def answer(self, ask: Ask) -> Reply:
        """Addresses of the API in an answer are those by which it was asked, as on a server of one's own."""
        reply = self._answer(ask)
        own = f"http://{ask.headers['host']}" if "host" in ask.headers else API
        headers = {name: value.replace(API, own) for name, value in reply.headers.items()}
        return Reply(reply.status, reply.body.replace(API.encode(), own.encode()), reply.content_type, headers)

    def _answer(self, ask: Ask) -> Reply:
        if ask.method not in ("GET", "HEAD"):
            self.refused[f"{ask.method} {ask.path}"] += 1
            return self._lost()
        if ask.path == "/rate_limit":
            core = {
                "limit": LIMIT,
                "remaining": LIMIT - self._used,
                "reset": int(self._world.now) + 2400,
                "used": self._used,
            }
            return self._good({"resources": {"core": core}, "rate": core})
        self._used += 1
        for pattern, answer in self._routes:
            if match := pattern.fullmatch(ask.path):
                found = answer(ask, *match.groups())
                return found if isinstance(found, Reply) else self._lost() if found is None else self._good(found)
        self.refused[f"GET {_shape(ask.path)}"] += 1
        return self._lost()

    @cached_property
    def _routes(self) -> Sequence[tuple[re.Pattern[str], Callable[..., Any]]]:
        repo = r"/repos/([\w.-]+/[\w.-]+)"
        return tuple(
            (re.compile(repo + path), answer)
            for path, answer in (
                ("", self._repository),
                ("/deployments", self._deployments),
                (r"/deployments/(\d+)", self._deployment),
                (r"/deployments/(\d+)/statuses", self._statuses),
                ("/releases", self._releases),
                (r"/releases/tags/(.+)", self._release),
                ("/pulls", self._pulls),
                (r"/pulls/(\d+)", self._pull),
                (r"/pulls/(\d+)/files", self._files),
                ("/commits", self._commits),
                (r"/commits/([0-9a-zA-Z._-]+)", self._commit),
            )
        )

    # Answers

    def _good(self, body: Any, **headers: str) -> Reply:
        limits = {
            "X-GitHub-Media-Type": "github.v3; format=json",
            "X-RateLimit-Limit": str(LIMIT),
            "X-RateLimit-Remaining": str(LIMIT - self._used),
            "X-RateLimit-Reset": str(int(self._world.now) + 2400),
            "X-RateLimit-Resource": "core",
        }
        made = as_json(body, 200, "application/json; charset=utf-8")
        return Reply(made.status, made.body, made.content_type, {**limits, **headers})

    def _lost(self) -> Reply:
        body = {"message": "Not Found", "documentation_url": DOCS, "status": "404"}
        return as_json(body, 404, "application/json; charset=utf-8")

    def _page(self, ask: Ask, rows: Sequence[Json]) -> Reply:
        """One page, with the Link header of RFC 8288 where there are more."""
        size = min(100, int(ask.get("per_page", "30") or 30))
        page = max(1, int(ask.get("page", "1") or 1))
        last = max(1, -(-len(rows) // size))
        others = "&".join(f"{k}={v}" for k, v in ask.query if k != "page")
        base = f"{API}{ask.path}?{others}{'&' if others else ''}page="
        links = [] if page >= last else [f'<{base}{page + 1}>; rel="next"', f'<{base}{last}>; rel="last"']
        if page > 1:
            links += [f'<{base}{page - 1}>; rel="prev"', f'<{base}1>; rel="first"']
        headers = {"Link": ", ".join(links)} if links else {}
        return self._good(list(rows[(page - 1) * size : page * size]), **headers)

    # Repositories

    def _known(self, repository: str) -> bool:
        return repository in {self._made.repository(s.name) for s in self._made.services}

    def _of(self, repository: str) -> list[Delivery]:
        """Newest first."""
        return [d for d in reversed(self._made.all) if d.merge.repository == repository]

    def _merges(self, repository: str) -> list[Merge]:
        found = [d.merge for d in self._of(repository)]
        found += [m for m in self._made.idle if m.repository == repository]
        return sorted(found, key=lambda m: -m.merged_at)

    def _repository(self, ask: Ask, name: str) -> Json | None:
        if not self._known(name):
            return None
        owner, short = name.split("/")
        return {
            "id": dice.number("repository", name) % 900_000_000,
            "name": short,
            "full_name": name,
            "url": f"{API}/repos/{name}",
            "private": True,
            "owner": {**self._user(owner), "type": "Organization"},
            "html_url": f"https://github.com/{name}",
            "default_branch": "main",
            "archived": False,
            "pushed_at": clock.seconds(max((m.merged_at for m in self._merges(name)), default=self._world.founded)),
        }

    def _user(self, login: str) -> Json:
        number = dice.number("user", login) % 90_000_000
        return {
            "login": login,
            "id": number,
            "html_url": f"https://github.com/{login}",
            "type": "Bot" if login.endswith("[bot]") else "User",
            "site_admin": False,
        }

    # Deployments

    def _deployments(self, ask: Ask, name: str) -> Reply | None:
        if not self._known(name):
            return None
        rows = [self._described(d) for d in self._of(name)]
        for field in ("sha", "ref", "task", "environment"):
            if ask.get(field):
                rows = [r for r in rows if r[field] == ask.get(field)]
        return self._page(ask, rows)

    def _described(self, it: Delivery) -> Json:
        name = it.merge.repository
        url = f"{API}/repos/{name}/deployments/{it.deployment_id}"
        return {
            "url": url,
            "id": it.deployment_id,
            "sha": it.merge.sha,
            "ref": it.tag,
            "task": "deploy",
            "payload": {},
            "original_environment": self._world.company.environment,
            "environment": self._world.company.environment,
            "description": "",
            "creator": self._user("github-actions[bot]"),
            "created_at": clock.seconds(it.deployed_at),
            "updated_at": clock.seconds(min(it.rolled_at + 95, self._world.now)),
            "statuses_url": f"{url}/statuses",
            "repository_url": f"{API}/repos/{name}",
            "transient_environment": False,
            "production_environment": True,
        }

    def _deployment(self, ask: Ask, name: str, number: str) -> Json | None:
        found = next((d for d in self._of(name) if str(d.deployment_id) == number), None)
        return self._described(found) if found else None

    def _statuses(self, ask: Ask, name: str, number: str) -> Reply | None:
        found = next((d for d in self._of(name) if str(d.deployment_id) == number), None)
        if found is None:
            return None
        end = ("failure", "Argo CD: application is degraded") if found.failed else ("success", "")
        states = [("queued", found.deployed_at + 1, ""), ("in_progress", found.deployed_at + 9, "")]
        states += [(end[0], found.rolled_at + 95, end[1])] if found.rolled_at + 95 < self._world.now else []
        rows = [
            {
                "id": found.deployment_id + i + 1,
                "state": state,
                "creator": self._user("github-actions[bot]"),
                "description": words,
                "environment": self._world.company.environment,
                "created_at": clock.seconds(at),
                "updated_at": clock.seconds(at),
            }
            for i, (state, at, words) in enumerate(states)
        ]
        return self._page(ask, rows[::-1])

    # Releases

    def _releases(self, ask: Ask, name: str) -> Reply | None:
        return self._page(ask, [self._released(d) for d in self._of(name)]) if self._known(name) else None

    def _release(self, ask: Ask, name: str, tag: str) -> Json | None:
        found = next((d for d in self._of(name) if d.tag == tag), None)
        return self._released(found) if found else None

    def _released(self, it: Delivery) -> Json:
        name = it.merge.repository
        return {
            "url": f"{API}/repos/{name}/releases/{dice.number('release', name, it.tag) % 290_000_000}",
            "id": dice.number("release", name, it.tag) % 290_000_000,
            "html_url": f"https://github.com/{name}/releases/tag/{it.tag}",
            "tag_name": it.tag,
            "target_commitish": "main",
            "name": it.tag,
            "draft": False,
            "prerelease": False,
            "created_at": clock.seconds(it.merge.merged_at),
            "published_at": clock.seconds(it.deployed_at - 24),
            "author": self._user("github-actions[bot]"),
            "assets": [],
            "body": f"## What's Changed\n* {it.merge.title} by @{it.merge.author} in #{it.merge.number}\n",
        }

    # Pull requests

    def _pulls(self, ask: Ask, name: str) -> Reply | None:
        if not self._known(name):
            return None
        if ask.get("state", "open") == "open":
            return self._page(ask, [])
        rows = [self._pulled(m) for m in self._merges(name)]
        if ask.get("direction") == "asc":
            rows.reverse()
        return self._page(ask, rows)

    def _pulled(self, it: Merge) -> Json:
        at = clock.seconds(it.merged_at)
        return {
            "url": f"{API}/repos/{it.repository}/pulls/{it.number}",
            "id": dice.number("pull", it.repository, it.number) % 2_100_000_000,
            "html_url": f"https://github.com/{it.repository}/pull/{it.number}",
            "number": it.number,
            "state": "closed",
            "locked": False,
            "title": it.title,
            "user": self._user(it.author),
            "body": None,
            "labels": [],
            "draft": False,
            "created_at": clock.seconds(it.opened_at),
            "updated_at": at,
            "closed_at": at,
            "merged_at": at,
            "merge_commit_sha": it.sha,
            "head": {"ref": _branch(it.title), "sha": dice.hexadecimal(40, "head", it.sha)},
            "base": {"ref": "main", "sha": dice.hexadecimal(40, "base", it.sha)},
        }

    def _pull(self, ask: Ask, name: str, number: str) -> Json | None:
        found = next((m for m in self._merges(name) if str(m.number) == number), None)
        if found is None:
            return None
        return {
            **self._pulled(found),
            "merged": True,
            "mergeable": None,
            "merged_by": self._user(found.merged_by),
            "commits": 1,
            "changed_files": len(found.files),
            "additions": sum(f.added for f in found.files),
            "deletions": sum(f.removed for f in found.files),
        }

    def _files(self, ask: Ask, name: str, number: str) -> Reply | None:
        found = next((m for m in self._merges(name) if str(m.number) == number), None)
        return self._page(ask, [_file(f, found.sha) for f in found.files]) if found else None

    # Commits

    def _commits(self, ask: Ask, name: str) -> Reply | None:
        if not self._known(name):
            return None
        path = ask.get("path")
        found = [m for m in self._merges(name) if not path or any(f.path == path for f in m.files)]
        if since := ask.get("since"):
            found = [m for m in found if m.merged_at >= clock.moment(since)]
        if until := ask.get("until"):
            found = [m for m in found if m.merged_at <= clock.moment(until)]
        return self._page(ask, [self._committed(m) for m in found])

    def _commit(self, ask: Ask, name: str, ref: str) -> Json | None:
        tagged = {d.tag: d.merge for d in self._of(name)}
        merges = self._merges(name)
        found = tagged.get(ref) or next((m for m in merges if len(ref) >= 7 and m.sha.startswith(ref)), None)
        if ref == "main" and merges:
            found = merges[0]
        if found is None:
            return None
        added, removed = sum(f.added for f in found.files), sum(f.removed for f in found.files)
        return {
            **self._committed(found),
            "stats": {"total": added + removed, "additions": added, "deletions": removed},
            "files": [_file(f, found.sha) for f in found.files],
        }

    def _committed(self, it: Merge) -> Json:
        service = next(s for s in self._made.services if self._made.repository(s.name) == it.repository)
        people = {p.login: p.name for p in self._made.team(service)}
        who = {"name": people.get(it.author, it.author), "date": clock.seconds(it.merged_at)}
        return {
            "sha": it.sha,
            "url": f"{API}/repos/{it.repository}/commits/{it.sha}",
            "html_url": f"https://github.com/{it.repository}/commit/{it.sha}",
            "commit": {
                "author": {**who, "email": f"{it.author}@{self._world.company.domain}"},
                "committer": {"name": "GitHub", "email": "noreply@github.com", "date": clock.seconds(it.merged_at)},
                "message": f"{it.title} (#{it.number})",
                "comment_count": 0,
            },
            "author": self._user(it.author),
            "committer": self._user("web-flow"),
            "parents": [{"sha": dice.hexadecimal(40, "base", it.sha)}],
        }


def _file(it: File, sha: str) -> Json:
    return {
        "sha": dice.hexadecimal(40, "blob", sha, it.path),
        "filename": it.path,
        "status": "modified",
        "additions": it.added,
        "deletions": it.removed,
        "changes": it.added + it.removed,
        "patch": it.patch,
    }


def _branch(title: str) -> str:
    return "-".join(re.findall(r"[a-z0-9]+", title.lower())[:4])


def _shape(path: str) -> str:
    return re.sub(r"/\d+|/[0-9a-f]{40}", "/…", path)
