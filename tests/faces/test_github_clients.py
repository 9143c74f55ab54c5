"""The simulated GitHub through PyGithub, and through githubkit, whose models are made from GitHub's own description."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import pytest

from workers.simulation import Running, start

pytestmark = pytest.mark.faces
github = pytest.importorskip("github", reason="`make faces` installs it")
githubkit = pytest.importorskip("githubkit", reason="`make faces` installs it")

WORLDS = ("oom-after-deploy", "exception-in-release", "poison-message")


@pytest.fixture(scope="module", params=WORLDS)
def world(request: pytest.FixtureRequest) -> Iterator[Running]:
    running = start(request.param, skills=("changes",))
    yield running
    running.close()


def repositories(world: Running) -> dict[str, str]:
    found: dict[str, str] = world.skills["changes"]["github"]["repositories"]
    return found


def test_every_answer_is_whole_by_the_published_description(world: Running) -> None:
    """Every route, every third repository of the company; a missing or ill-typed field fails the model."""
    client = githubkit.GitHub("t", base_url=world.urls["github"] + "/", http_cache=False)
    rest = client.rest
    seen = 0
    chosen = list(repositories(world).values())[::3]
    for full in chosen:
        name = full.split("/")
        asked = [
            rest.repos.get(*name),
            rest.repos.list_branches(*name),
            rest.repos.list_tags(*name),
            deployments := rest.repos.list_deployments(*name, per_page=100),
            releases := rest.repos.list_releases(*name, per_page=100),
            pulls := rest.pulls.list(*name, state="all", per_page=100),
            commits := rest.repos.list_commits(*name, per_page=100),
        ]
        for it in deployments.parsed_data[:2]:
            asked += [
                rest.repos.get_deployment(*name, it.id),
                rest.repos.list_deployment_statuses(*name, it.id),
            ]
        for it in releases.parsed_data[:2]:
            asked += [rest.repos.get_release_by_tag(*name, it.tag_name), rest.repos.get_latest_release(*name)]
        for it in pulls.parsed_data[:2]:
            asked += [rest.pulls.get(*name, it.number), rest.pulls.list_files(*name, it.number)]
            asked += [rest.pulls.list_commits(*name, it.number)]
        for it in commits.parsed_data[:2]:
            asked += [
                rest.repos.get_commit(*name, it.sha),
                rest.repos.list_pull_requests_associated_with_commit(*name, it.sha),
                rest.repos.get_branch(*name, "main"),
                rest.repos.compare_commits(*name, f"{it.parents[0].sha}...{it.sha}")
                if len(commits.parsed_data) > 1 and it != commits.parsed_data[-1]
                else rest.rate_limit.get(),
            ]
        for each in asked:
            assert each.parsed_data is not None  # validated by being read
        seen += len(asked)
    print(f"\n{world.name}: {seen} answers in {len(chosen)} repositories")
    assert world.refused["github"] == {}


def test_pygithub_tells_what_changed_between_two_releases(world: Running) -> None:
    it = github.Github(
        base_url=world.urls["github"], auth=github.Auth.Token("t"), retry=None, seconds_between_requests=None
    )
    compared = 0
    for full in repositories(world).values():
        repo = it.get_repo(full)
        releases = list(repo.get_releases())
        assert [r.tag_name for r in releases] == [t.name for t in repo.get_tags()]
        for deployment in repo.get_deployments():
            assert list(deployment.get_statuses())[-1].state == "queued"
        if len(releases) < 2:
            continue
        newest = repo.get_latest_release().tag_name
        difference = repo.compare(releases[1].tag_name, newest)
        assert (difference.status, difference.behind_by) == ("ahead", 0)
        assert difference.ahead_by == len(list(difference.commits)) >= 1
        head = list(difference.commits)[-1]
        assert head.sha == repo.get_commit(newest).sha
        merged = next(p for p in repo.get_pulls(state="closed") if p.merge_commit_sha == head.sha)
        assert [p.number for p in head.get_pulls()] == [merged.number]
        assert {f.filename for f in merged.get_files()} <= {f.filename for f in difference.files}
        assert merged.merged
        assert merged.get_commits()[0].sha == merged.head.sha
        compared += 1
    assert compared >= 5


def test_pygithub_pages_through_links(world: Running) -> None:
    it = github.Github(
        base_url=world.urls["github"],
        auth=github.Auth.Token("t"),
        retry=None,
        seconds_between_requests=None,
        per_page=2,
    )
    for full in repositories(world).values():
        commits = list(it.get_repo(full).get_commits())
        assert len({c.sha for c in commits}) == len(commits)
        assert commits == sorted(commits, key=lambda c: c.commit.committer.date, reverse=True)
        for newer, older in pairwise(commits):
            assert newer.parents[0].sha == older.sha


def test_refusals_are_those_that_the_client_knows(world: Running) -> None:
    it = github.Github(
        base_url=world.urls["github"], auth=github.Auth.Token("t"), retry=None, seconds_between_requests=None
    )
    repo = it.get_repo(next(iter(repositories(world).values())))
    with pytest.raises(github.UnknownObjectException):
        it.get_repo("nobody/nothing")
    with pytest.raises(github.UnknownObjectException):
        repo.create_git_ref("refs/heads/mine", repo.get_commits()[0].sha)
    assert it.get_rate_limit().resources.core.remaining > 4000
