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
from workers.simulation.company import Service
from workers.simulation.deliveries import Deliveries, Delivery, Merge
from workers.simulation.faces import github_shapes as shapes
from workers.simulation.faces.exchange import Ask, Reply, as_json
from workers.simulation.faces.github_shapes import API
from workers.simulation.scene import Scene
from workers.simulation.world import DAY

Json = dict[str, Any]
DOCS = "https://docs.github.com/rest"
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
            left = shapes.limits(LIMIT, self._used, int(self._world.now) + 2400)
            return self._good({"resources": left, "rate": left["core"]})
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
                ("/releases/latest", self._latest),
                (r"/releases/tags/(.+)", self._release),
                ("/tags", self._tags),
                ("/pulls", self._pulls),
                (r"/pulls/(\d+)", self._pull),
                (r"/pulls/(\d+)/files", self._files),
                (r"/pulls/(\d+)/commits", self._brought),
                ("/commits", self._commits),
                (r"/commits/([0-9a-zA-Z._-]+)", self._commit),
                (r"/commits/([0-9a-zA-Z._-]+)/pulls", self._carried),
                ("/branches", self._branches),
                ("/branches/main", self._branch),
                (r"/compare/([0-9a-zA-Z._-]+?)\.\.\.([0-9a-zA-Z._-]+)", self._compare),
            )
        )

    # Answers

    def _good(self, body: Any, **headers: str) -> Reply:
        limits = {
            "X-GitHub-Media-Type": "github.v3; format=json",
            "X-RateLimit-Limit": str(LIMIT),
            "X-RateLimit-Remaining": str(LIMIT - self._used),
            "X-RateLimit-Used": str(self._used),
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

    def _service(self, repository: str) -> Service:
        return next(s for s in self._made.services if self._made.repository(s.name) == repository)

    def _shown(self, name: str) -> Json:
        pushed = max((m.merged_at for m in self._merges(name)), default=self._world.founded)
        language = {"go": "Go", "python": "Python"}[self._service(name).language]
        created = self._world.founded - dice.number("repository created", name) % int(400 * DAY)
        return shapes.repository(name, language, created, pushed)

    def _repository(self, ask: Ask, name: str) -> Json | None:
        return shapes.whole_repository(self._shown(name)) if self._known(name) else None

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
            "node_id": shapes.node_id("DE", it.deployment_id),
            "sha": it.merge.sha,
            "ref": it.tag,
            "task": "deploy",
            "payload": {},
            "original_environment": self._world.company.environment,
            "environment": self._world.company.environment,
            "description": "",
            "creator": shapes.user("github-actions[bot]"),
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
        url = f"{API}/repos/{name}/deployments/{number}"
        end = ("failure", "Argo CD: application is degraded") if found.failed else ("success", "")
        states = [("queued", found.deployed_at + 1, ""), ("in_progress", found.deployed_at + 9, "")]
        states += [(end[0], found.rolled_at + 95, end[1])] if found.rolled_at + 95 < self._world.now else []
        rows = [
            {
                "url": f"{url}/statuses/{found.deployment_id + i + 1}",
                "id": found.deployment_id + i + 1,
                "node_id": shapes.node_id("DES", found.deployment_id + i + 1),
                "state": state,
                "creator": shapes.user("github-actions[bot]"),
                "description": words,
                "environment": self._world.company.environment,
                "target_url": "",
                "created_at": clock.seconds(at),
                "updated_at": clock.seconds(at),
                "deployment_url": url,
                "repository_url": f"{API}/repos/{name}",
                "environment_url": "",
                "log_url": "",
            }
            for i, (state, at, words) in enumerate(states)
        ]
        return self._page(ask, rows[::-1])

    # Releases

    def _releases(self, ask: Ask, name: str) -> Reply | None:
        return self._page(ask, [self._released(d) for d in self._of(name)]) if self._known(name) else None

    def _latest(self, ask: Ask, name: str) -> Json | None:
        return next((self._released(d) for d in self._of(name)), None)

    def _release(self, ask: Ask, name: str, tag: str) -> Json | None:
        found = next((d for d in self._of(name) if d.tag == tag), None)
        return self._released(found) if found else None

    def _released(self, it: Delivery) -> Json:
        return shapes.release(it.merge.repository, it.tag, it.merge, it.deployed_at - 24)

    def _tags(self, ask: Ask, name: str) -> Reply | None:
        if not self._known(name):
            return None
        base = f"{API}/repos/{name}"
        rows = [
            {
                "name": d.tag,
                "zipball_url": f"{base}/zipball/refs/tags/{d.tag}",
                "tarball_url": f"{base}/tarball/refs/tags/{d.tag}",
                "commit": {"sha": d.merge.sha, "url": f"{base}/commits/{d.merge.sha}"},
                "node_id": shapes.node_id("REF", d.deployment_id),
            }
            for d in self._of(name)
        ]
        return self._page(ask, rows)

    # Pull requests

    def _pulls(self, ask: Ask, name: str) -> Reply | None:
        if not self._known(name):
            return None
        if ask.get("state", "open") == "open":
            return self._page(ask, [])
        rows = self._merges(name)
        if ask.get("direction") == "asc":
            rows.reverse()
        repo = self._shown(name)
        return self._page(ask, [self._pulled(m, repo) for m in rows])

    def _pulled(self, it: Merge, repo: Json) -> Json:
        return shapes.pull(it, self._before(it, it.opened_at), repo)

    def _asked(self, name: str, number: str) -> Merge | None:
        return next((m for m in self._merges(name) if str(m.number) == number), None)

    def _pull(self, ask: Ask, name: str, number: str) -> Json | None:
        found = self._asked(name, number)
        return shapes.whole_pull(self._pulled(found, self._shown(name)), found) if found else None

    def _files(self, ask: Ask, name: str, number: str) -> Reply | None:
        found = self._asked(name, number)
        return self._page(ask, [shapes.file(f, name, found.sha) for f in found.files]) if found else None

    def _brought(self, ask: Ask, name: str, number: str) -> Reply | None:
        found = self._asked(name, number)
        if found is None:
            return None
        return self._page(ask, [shapes.proposed(found, self._before(found, found.opened_at), *self._author(found))])

    # Commits

    def _before(self, it: Merge, at: float) -> str:
        """What main stood at, at a moment before this merge."""
        older = (m.sha for m in self._merges(it.repository) if m.merged_at < min(at, it.merged_at))
        return next(older, dice.hexadecimal(40, "base", it.sha))

    def _author(self, it: Merge) -> tuple[str, str]:
        people = {p.login: p.name for p in self._made.team(self._service(it.repository))}
        return people.get(it.author, it.author), f"{it.author}@{self._world.company.domain}"

    def _commits(self, ask: Ask, name: str) -> Reply | None:
        if not self._known(name):
            return None
        path = ask.get("path")
        found = [m for m in self._merges(name) if not path or any(f.path == path for f in m.files)]
        if ask.get("sha") not in ("", "main"):
            newest = self._at(name, ask.get("sha"))
            found = [m for m in found if newest and m.merged_at <= newest.merged_at]
        if since := ask.get("since"):
            found = [m for m in found if m.merged_at >= clock.moment(since)]
        if until := ask.get("until"):
            found = [m for m in found if m.merged_at <= clock.moment(until)]
        return self._page(ask, [self._committed(m) for m in found])

    def _at(self, name: str, ref: str) -> Merge | None:
        """What a tag, a branch, a hash or the beginning of one means."""
        merges = self._merges(name)
        if ref == "main":
            return merges[0] if merges else None
        tagged = {d.tag: d.merge for d in self._of(name)}
        return tagged.get(ref) or next((m for m in merges if len(ref) >= 7 and m.sha.startswith(ref)), None)

    def _commit(self, ask: Ask, name: str, ref: str) -> Json | None:
        found = self._at(name, ref)
        return shapes.whole_commit(self._committed(found), name, found.files) if found else None

    def _committed(self, it: Merge) -> Json:
        return shapes.commit(it, self._before(it, it.merged_at), *self._author(it))

    def _carried(self, ask: Ask, name: str, ref: str) -> Reply | None:
        """The pull requests by which a commit came."""
        found = self._at(name, ref)
        return self._page(ask, [self._pulled(found, self._shown(name))]) if found else None

    def _branches(self, ask: Ask, name: str) -> Reply | None:
        found = self._at(name, "main") if self._known(name) else None
        return self._page(ask, [_branch_of(found)]) if found else None

    def _branch(self, ask: Ask, name: str) -> Json | None:
        found = self._at(name, "main") if self._known(name) else None
        if found is None:
            return None
        url = f"{API}/repos/{name}/branches/main"
        return {
            **_branch_of(found),
            "commit": self._committed(found),
            "_links": {"self": url, "html": f"https://github.com/{name}/tree/main"},
            "protection": {"enabled": True, "required_status_checks": {"contexts": [], "checks": []}},
        }

    def _compare(self, ask: Ask, name: str, old: str, new: str) -> Json | None:
        base, head = self._at(name, old), self._at(name, new)
        if base is None or head is None:
            return None
        merges = self._merges(name)
        between = [m for m in merges if base.merged_at < m.merged_at <= head.merged_at][::-1]
        behind = [m for m in merges if head.merged_at < m.merged_at <= base.merged_at]
        common = head if behind else base
        url, page = f"{API}/repos/{name}/compare/{old}...{new}", f"https://github.com/{name}/compare/{old}...{new}"
        files = {f.path: shapes.file(f, name, head.sha) for m in between for f in m.files}
        return {
            "url": url,
            "html_url": page,
            "permalink_url": f"https://github.com/{name}/compare/{base.sha[:7]}...{head.sha[:7]}",
            "diff_url": f"{page}.diff",
            "patch_url": f"{page}.patch",
            "base_commit": self._committed(base),
            "merge_base_commit": self._committed(common),
            "status": "behind" if behind else "ahead" if between else "identical",
            "ahead_by": len(between),
            "behind_by": len(behind),
            "total_commits": len(between),
            "commits": [self._committed(m) for m in between],
            "files": list(files.values()),
        }


def _branch_of(it: Merge) -> Json:
    return {
        "name": "main",
        "commit": {"sha": it.sha, "url": f"{API}/repos/{it.repository}/commits/{it.sha}"},
        "protected": True,
        "protection": {"enabled": True, "required_status_checks": {"contexts": [], "checks": []}},
        "protection_url": f"{API}/repos/{it.repository}/branches/main/protection",
    }


def _shape(path: str) -> str:
    return re.sub(r"/\d+|/[0-9a-f]{40}", "/…", path)
