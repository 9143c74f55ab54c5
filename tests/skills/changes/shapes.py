"""Answers in the shapes of the real APIs, cut to what stands there.

GitHub: docs.github.com/rest, version 2022-11-28: "List deployments", "List releases", "List pull requests", "List pull
requests files", "List commits". Argo CD: assets/swagger.json, v1alpha1ApplicationList.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

ONSET = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
NOW = ONSET + timedelta(minutes=9)
MERGED = "3f1c9a7be2d04c5f8a6b7c8d9e0f1a2b3c4d5e6f"


def at(minutes: float) -> str:
    """Minutes before the onset, as GitHub writes it."""
    return (ONSET - timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%SZ")


def user(login: str) -> dict[str, Any]:
    return {"login": login, "id": 7431, "type": "User", "site_admin": False}


def deployment(minutes: float, sha: str = MERGED, ref: str = "v1.34.0", **more: Any) -> dict[str, Any]:
    return {
        "url": "https://api.github.com/repos/acme/cart/deployments/915",
        "id": 915,
        "node_id": "DE_kwDO915",
        "sha": sha,
        "ref": ref,
        "task": "deploy",
        "payload": {},
        "original_environment": "production",
        "environment": "production",
        "description": None,
        "creator": user("deploy-bot"),
        "created_at": at(minutes),
        "updated_at": at(minutes - 1),
        "transient_environment": False,
        "production_environment": True,
        **more,
    }


def release(minutes: float, tag: str = "v1.34.0") -> dict[str, Any]:
    return {
        "html_url": f"https://github.com/acme/cart/releases/tag/{tag}",
        "id": 4411,
        "tag_name": tag,
        "target_commitish": "main",
        "name": tag,
        "body": "## What's Changed\n* Trim memory",
        "draft": False,
        "prerelease": False,
        "created_at": at(minutes + 1),
        "published_at": at(minutes),
        "author": user("mara-lind"),
        "assets": [],
    }


def pull(minutes: float | None, number: int = 482, title: str = "Trim the memory limit", **more: Any) -> dict[str, Any]:
    merged = None if minutes is None else at(minutes)
    return {
        "html_url": f"https://github.com/acme/cart/pull/{number}",
        "number": number,
        "state": "closed",
        "locked": False,
        "title": title,
        "user": user("mara-lind"),
        "body": "We never use more than 100Mi.",
        "labels": [],
        "created_at": at((minutes or 60) + 300),
        "updated_at": at(minutes or 60),
        "closed_at": at(minutes or 60),
        "merged_at": merged,
        "merge_commit_sha": MERGED,
        "base": {"ref": "main", "sha": "aa"},
        "head": {"ref": "trim", "sha": "bb"},
        **more,
    }


def application(minutes: float, name: str = "cart", revision: str = MERGED, **status: Any) -> dict[str, Any]:
    source = {"repoURL": "https://github.com/acme/deploy.git", "path": f"apps/{name}", "targetRevision": "main"}
    return {
        "metadata": {"name": name, "namespace": "argocd"},
        "spec": {
            "project": "default",
            "source": source,
            "destination": {"server": "https://kubernetes.default.svc", "namespace": "shop"},
        },
        "status": {
            "sync": {"status": "Synced", "revision": revision},
            "health": {"status": "Degraded"},
            "history": [
                {
                    "id": 12,
                    "revision": revision,
                    "deployStartedAt": at(minutes),
                    "deployedAt": at(minutes - 0.5),
                    "initiatedBy": {"automated": True},
                    "source": source,
                }
            ],
            "resources": [
                {"group": "apps", "version": "v1", "kind": "Deployment", "namespace": "shop", "name": name,
                 "status": "Synced"},
                {"version": "v1", "kind": "Service", "namespace": "shop", "name": name, "status": "Synced"},
            ],
            **status,
        },
    }  # fmt: skip
