"""GitHub's objects, whole: what its published description of the REST API says is always there.

Shapes: the response schemas of GitHub's OpenAPI description, version 2022-11-28 (`make faces` holds them to it).
Pure: records in, JSON out. Which objects there are is github.py's matter.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping
from typing import Any

from workers.simulation import clock, dice
from workers.simulation.deliveries import File, Merge

Json = dict[str, Any]
API = "https://api.github.com"
WEB = "https://github.com"

_OF_A_USER = (
    "followers",
    "gists{/gist_id}",
    "starred{/owner}{/repo}",
    "subscriptions",
    "repos",
    "events{/privacy}",
    "received_events",
)
_OF_A_REPOSITORY = (
    "archive /{archive_format}{/ref}", "assignees {/user}", "branches {/branch}", "collaborators {/collaborator}",
    "comments {/number}", "commits {/sha}", "contents /{+path}", "contributors", "deployments", "downloads", "events",
    "forks", "hooks", "issues {/number}", "labels {/name}", "languages", "merges", "milestones {/number}",
    "pulls {/number}", "releases {/id}", "stargazers", "statuses /{sha}", "subscribers", "subscription", "tags",
    "teams",
)  # fmt: skip
_OTHERS_OF_A_REPOSITORY = {
    "blobs_url": "git/blobs{/sha}",
    "compare_url": "compare/{base}...{head}",
    "git_commits_url": "git/commits{/sha}",
    "git_refs_url": "git/refs{/sha}",
    "git_tags_url": "git/tags{/sha}",
    "issue_comment_url": "issues/comments{/number}",
    "issue_events_url": "issues/events{/number}",
    "keys_url": "keys{/key_id}",
    "notifications_url": "notifications{?since,all,participating}",
    "trees_url": "git/trees{/sha}",
}
_SWITCHES = {
    "has_issues": True, "has_projects": True, "has_downloads": True, "has_wiki": False, "has_pages": False,
    "has_discussions": False, "archived": False, "disabled": False, "allow_forking": False, "is_template": False,
    "web_commit_signoff_required": False,
}  # fmt: skip


def node_id(kind: str, number: int) -> str:
    """As the ids of the GraphQL API look: the kind's letters and some base64."""
    return f"{kind}_kwDO{base64.urlsafe_b64encode(number.to_bytes(9, 'big')).decode().rstrip('=')}"


def user(login: str, kind: str = "") -> Json:
    number = dice.number("user", login) % 90_000_000
    path = login.replace("[", "%5B").replace("]", "%5D")
    base = f"{API}/users/{path}"
    is_app = login.endswith("[bot]")
    return {
        "login": login,
        "id": number,
        "node_id": node_id("BOT" if is_app else "O" if kind == "Organization" else "U", number),
        "avatar_url": f"https://avatars.githubusercontent.com/u/{number}?v=4",
        "gravatar_id": "",
        "url": base,
        "html_url": f"{WEB}/apps/{login[:-5]}" if is_app else f"{WEB}/{login}",
        "following_url": f"{base}/following{{/other_user}}",
        "organizations_url": f"{base}/orgs",
        **{f"{name.partition('{')[0]}_url": f"{base}/{name}" for name in _OF_A_USER},
        "type": kind or ("Bot" if is_app else "User"),
        "user_view_type": "public",
        "site_admin": False,
    }


def repository(full: str, language: str, created_at: float, pushed_at: float) -> Json:
    owner, short = full.split("/")
    number, base = dice.number("repository", full) % 900_000_000, f"{API}/repos/{full}"
    urls = {}
    for each in _OF_A_REPOSITORY:
        name, _, rest = each.partition(" ")
        urls[f"{name}_url"] = f"{base}{rest}" if name == "archive" else f"{base}/{name}{rest}"
    return {
        "id": number,
        "node_id": node_id("R", number),
        "name": short,
        "full_name": full,
        "private": True,
        "owner": user(owner, "Organization"),
        "html_url": f"{WEB}/{full}",
        "description": None,
        "fork": False,
        "url": base,
        **urls,
        **{name: f"{base}/{path}" for name, path in _OTHERS_OF_A_REPOSITORY.items()},
        "created_at": clock.seconds(created_at),
        "updated_at": clock.seconds(pushed_at + 4),
        "pushed_at": clock.seconds(pushed_at),
        "git_url": f"git://github.com/{full}.git",
        "ssh_url": f"git@github.com:{full}.git",
        "clone_url": f"{WEB}/{full}.git",
        "svn_url": f"{WEB}/{full}",
        "mirror_url": None,
        "homepage": None,
        "size": 214 + dice.number("size", full) % 3100,
        "stargazers_count": 0,
        "watchers_count": 0,
        "language": language,
        "forks_count": 0,
        "open_issues_count": 0,
        "license": None,
        **_SWITCHES,
        "topics": [],
        "visibility": "private",
        "forks": 0,
        "open_issues": 0,
        "watchers": 0,
        "default_branch": "main",
        "permissions": {"admin": False, "maintain": False, "push": False, "triage": False, "pull": True},
    }


def whole_repository(it: Json) -> Json:
    """Alone it has more than in a list."""
    return {**it, "organization": it["owner"], "network_count": 0, "subscribers_count": 3}


def pull(it: Merge, base_sha: str, repo: Json) -> Json:
    at, number = clock.seconds(it.merged_at), dice.number("pull", it.repository, it.number) % 2_100_000_000
    base, page = f"{API}/repos/{it.repository}", f"{WEB}/{it.repository}/pull/{it.number}"
    head = dice.hexadecimal(40, "head", it.sha)
    one, issue = f"{base}/pulls/{it.number}", f"{base}/issues/{it.number}"
    links = {
        "self": one,
        "html": page,
        "issue": issue,
        "comments": f"{issue}/comments",
        "review_comments": f"{one}/comments",
        "review_comment": f"{base}/pulls/comments{{/number}}",
        "commits": f"{one}/commits",
        "statuses": f"{base}/statuses/{head}",
    }
    owner = repo["owner"]
    return {
        "url": one,
        "id": number,
        "node_id": node_id("PR", number),
        "html_url": page,
        "diff_url": f"{page}.diff",
        "patch_url": f"{page}.patch",
        "issue_url": issue,
        **{f"{name}_url": href for name, href in links.items() if name not in ("self", "html", "issue")},
        "number": it.number,
        "state": "closed",
        "locked": False,
        "title": it.title,
        "user": user(it.author),
        "body": None,
        "labels": [],
        "milestone": None,
        "active_lock_reason": None,
        "draft": False,
        "created_at": clock.seconds(it.opened_at),
        "updated_at": at,
        "closed_at": at,
        "merged_at": at,
        "merge_commit_sha": it.sha,
        "assignee": None,
        "assignees": [],
        "requested_reviewers": [],
        "requested_teams": [],
        "head": {
            "label": f"{owner['login']}:{branch(it.title)}",
            "ref": branch(it.title),
            "sha": head,
            "user": owner,
            "repo": repo,
        },
        "base": {"label": f"{owner['login']}:main", "ref": "main", "sha": base_sha, "user": owner, "repo": repo},
        "_links": {name: {"href": href} for name, href in links.items()},
        "author_association": "MEMBER",
        "auto_merge": None,
    }  # fmt: skip


def whole_pull(it: Json, merge: Merge) -> Json:
    return {
        **it,
        "merged": True,
        "mergeable": None,
        "rebaseable": None,
        "mergeable_state": "unknown",
        "merged_by": user(merge.merged_by),
        "comments": 0,
        "review_comments": 0,
        "maintainer_can_modify": False,
        "commits": 1,
        "changed_files": len(merge.files),
        "additions": sum(f.added for f in merge.files),
        "deletions": sum(f.removed for f in merge.files),
    }


def commit(it: Merge, parent: str, name: str, email: str) -> Json:
    """`name` and `email` are the author's."""
    at = clock.seconds(it.merged_at)
    return _commit(
        it.repository,
        it.sha,
        parent,
        f"{it.title} (#{it.number})",
        {"name": name, "email": email, "date": at},
        {"name": "GitHub", "email": "noreply@github.com", "date": at},
        user(it.author),
        user("web-flow"),
    )


def proposed(it: Merge, parent: str, name: str, email: str) -> Json:
    """The commit of the branch that the pull request brought, before it was squashed."""
    who = {"name": name, "email": email, "date": clock.seconds(it.opened_at - 140)}
    author = user(it.author)
    return _commit(
        it.repository, dice.hexadecimal(40, "head", it.sha), parent, it.title, who, who, author, author
    )  # fmt: skip


def _commit(
    full: str, sha: str, parent: str, message: str, author: Json, committer: Json, account: Json, other: Json
) -> Json:
    base, tree = f"{API}/repos/{full}", dice.hexadecimal(40, "tree", sha)
    return {
        "sha": sha,
        "node_id": f"C_{base64.urlsafe_b64encode(f'{sha}'.encode()).decode().rstrip('=')}",
        "commit": {
            "author": author,
            "committer": committer,
            "message": message,
            "tree": {"sha": tree, "url": f"{base}/git/trees/{tree}"},
            "url": f"{base}/git/commits/{sha}",
            "comment_count": 0,
            "verification": {
                "verified": False,
                "reason": "unsigned",
                "signature": None,
                "payload": None,
                "verified_at": None,
            },
        },
        "url": f"{base}/commits/{sha}",
        "html_url": f"{WEB}/{full}/commit/{sha}",
        "comments_url": f"{base}/commits/{sha}/comments",
        "author": account,
        "committer": other,
        "parents": [
            {"sha": parent, "url": f"{base}/commits/{parent}", "html_url": f"{WEB}/{full}/commit/{parent}"}
        ],
    }  # fmt: skip


def whole_commit(it: Json, repository_: str, files: Iterable[File]) -> Json:
    shown = [file(f, repository_, it["sha"]) for f in files]
    added, removed = sum(f["additions"] for f in shown), sum(f["deletions"] for f in shown)
    return {**it, "stats": {"total": added + removed, "additions": added, "deletions": removed}, "files": shown}


def file(it: File, repository_: str, sha: str) -> Json:
    path = it.path
    return {
        "sha": dice.hexadecimal(40, "blob", sha, path),
        "filename": path,
        "status": "modified",
        "additions": it.added,
        "deletions": it.removed,
        "changes": it.added + it.removed,
        "blob_url": f"{WEB}/{repository_}/blob/{sha}/{path.replace('/', '%2F')}",
        "raw_url": f"{WEB}/{repository_}/raw/{sha}/{path.replace('/', '%2F')}",
        "contents_url": f"{API}/repos/{repository_}/contents/{path.replace('/', '%2F')}?ref={sha}",
        "patch": it.patch,
    }


def release(full: str, tag: str, merge: Merge, published_at: float) -> Json:
    number, base = dice.number("release", full, tag) % 290_000_000, f"{API}/repos/{full}"
    return {
        "url": f"{base}/releases/{number}",
        "assets_url": f"{base}/releases/{number}/assets",
        "upload_url": f"https://uploads.github.com/repos/{full}/releases/{number}/assets{{?name,label}}",
        "html_url": f"{WEB}/{full}/releases/tag/{tag}",
        "id": number,
        "author": user("github-actions[bot]"),
        "node_id": node_id("RE", number),
        "tag_name": tag,
        "target_commitish": "main",
        "name": tag,
        "draft": False,
        "immutable": False,
        "prerelease": False,
        "created_at": clock.seconds(merge.merged_at),
        "updated_at": clock.seconds(published_at),
        "published_at": clock.seconds(published_at),
        "assets": [],
        "tarball_url": f"{base}/tarball/{tag}",
        "zipball_url": f"{base}/zipball/{tag}",
        "body": f"## What's Changed\n* {merge.title} by @{merge.author} in #{merge.number}\n",
    }


def branch(title: str) -> str:
    return "-".join(re.findall(r"[a-z0-9]+", title.lower())[:4])


def limits(limit: int, used: int, reset: int) -> Mapping[str, Json]:
    """By resource; what this token does not use is untouched."""

    def one(most: int, spent: int = 0) -> Json:
        return {"limit": most, "used": spent, "remaining": most - spent, "reset": reset}

    return {"core": one(limit, used), "search": one(30), "graphql": one(5000)}
