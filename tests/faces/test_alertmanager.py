"""The simulated Alertmanager and a real one that got the same alerts and silences, asked the same."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import pytest

from tests.faces.conftest import binary, free_port, running
from workers.simulation.faces.alertmanager import GROUP_BY, RECEIVER, Alertmanager
from workers.simulation.faces.exchange import Ask
from workers.simulation.running import stage

pytestmark = pytest.mark.faces

QUERIES: tuple[tuple[tuple[str, str], ...], ...] = (
    (),
    (("filter", 'alertname="KubePodCrashLooping"'),),
    (("filter", "alertname=KubePodCrashLooping"),),
    (("filter", 'alertname=~"Kube.*"'), ("filter", 'severity!="critical"')),
    (("filter", 'alertname!~"Kube.*"'),),
    (("filter", 'alertname=~"PodCrash"'),),
    (("filter", 'nothing=""'),),
    (("filter", 'pod=~"cart-.+"'),),
    (("active", "false"),),
    (("silenced", "false"),),
    (("receiver", "slack-.*"),),
    (("receiver", "slack"),),
)
REFUSED: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = (
    ("/api/v2/alerts", (("filter", "no matcher"),)),
    ("/api/v2/silence/00000000-0000-4000-8000-000000000000", ()),
    ("/api/v2/nothing", ()),
)


class Real:
    def __init__(self, url: str) -> None:
        self._url = url

    def get(self, path: str, query: tuple[tuple[str, str], ...] = ()) -> tuple[int, Any]:
        try:
            with urlopen(f"{self._url}{path}?{urlencode(query)}") as answer:
                return answer.status, json.loads(answer.read())
        except HTTPError as error:
            body = error.read()
            return error.code, json.loads(body) if body else None

    def post(self, path: str, body: Any) -> None:
        headers = {"Content-Type": "application/json"}
        urlopen(Request(f"{self._url}{path}", json.dumps(body).encode(), headers)).close()


class Simulated:
    def __init__(self, name: str) -> None:
        staged = stage(name)
        self._face = Alertmanager(staged.scene, staged.rules)

    def get(self, path: str, query: tuple[tuple[str, str], ...] = ()) -> tuple[int, Any]:
        reply = self._face.answer(Ask("GET", path, query))
        return reply.status, json.loads(reply.body) if reply.body else None


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Simulated, Real]]:
    simulated = Simulated("oom-after-deploy")
    folder = tmp_path_factory.mktemp("alertmanager")
    config = f"route:\n  receiver: {RECEIVER}\n  group_by: [{', '.join(GROUP_BY)}]\nreceivers:\n  - name: {RECEIVER}\n"
    (folder / "am.yml").write_text(config, encoding="utf-8")
    port = free_port()
    with running(_command(folder, port), f"http://127.0.0.1:{port}/-/ready", folder):
        real = Real(f"http://127.0.0.1:{port}")
        until = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
        kept = ("labels", "annotations", "startsAt", "generatorURL")
        alerts = simulated.get("/api/v2/alerts")[1]
        # The real server knows no other time than the machine's, and forgets what has ended.
        real.post("/api/v2/alerts", [{**{k: a[k] for k in kept}, "endsAt": until} for a in alerts])
        for silence in simulated.get("/api/v2/silences")[1]:
            if silence["status"]["state"] == "active":
                body = {k: silence[k] for k in ("matchers", "createdBy", "comment", "startsAt")}
                real.post("/api/v2/silences", {**body, "endsAt": until})
        yield simulated, real


FURNITURE = b"/usr/share/prometheus/alertmanager"


def _program(folder: Path) -> str:
    """Debian's build reads its templates at a fixed place; one that is only unpacked has them beside itself, so that a
    copy of it is told to look in the folder where it runs."""
    found = Path(binary("prometheus-alertmanager"))
    if Path(FURNITURE.decode(), "default.tmpl").is_file():
        return str(found)
    for template in (found.parents[1] / FURNITURE.decode().removeprefix("/usr/")).glob("*.tmpl"):
        (folder / template.name).write_bytes(template.read_bytes())
    program = folder / "alertmanager"
    program.write_bytes(found.read_bytes().replace(FURNITURE, b".".ljust(len(FURNITURE), b"/")))
    program.chmod(0o755)
    return str(program)


def _command(folder: Path, port: int) -> list[str]:
    return [
        _program(folder), f"--config.file={folder / 'am.yml'}", f"--storage.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address=",
    ]  # fmt: skip


def told(alerts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Without the times that are the machine's in the one and the world's in the other."""
    theirs = ("endsAt", "updatedAt")
    found = [{k: v for k, v in a.items() if k not in theirs} | {"startsAt": _moment(a["startsAt"])} for a in alerts]
    return sorted(found, key=lambda a: str(a["fingerprint"]))


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


@pytest.mark.parametrize("query", QUERIES)
def test_alerts_are_equal(both: tuple[Simulated, Real], query: tuple[tuple[str, str], ...]) -> None:
    simulated, real = both
    ours, theirs = simulated.get("/api/v2/alerts", query), real.get("/api/v2/alerts", query)
    assert ours[0] == theirs[0] == 200
    assert told(ours[1]) == told(theirs[1])
    assert {frozenset(a) for a in ours[1]} == {frozenset(a) for a in theirs[1]}


@pytest.mark.parametrize("query", QUERIES)
def test_groups_are_equal(both: tuple[Simulated, Real], query: tuple[tuple[str, str], ...]) -> None:
    def groups(answer: Any) -> list[Any]:
        rows = [(g["labels"], g["receiver"], told(g["alerts"])) for g in answer]
        return sorted(rows, key=lambda row: sorted(row[0].items()))

    simulated, real = both
    asked = tuple(q for q in query if q[0] != "active")
    assert groups(simulated.get("/api/v2/alerts/groups", asked)[1]) == groups(
        real.get("/api/v2/alerts/groups", asked)[1]
    )


def test_silences_are_equal(both: tuple[Simulated, Real]) -> None:
    simulated, real = both
    theirs = real.get("/api/v2/silences")[1]
    ours = [s for s in simulated.get("/api/v2/silences")[1] if s["status"]["state"] == "active"]
    for one in (*ours, *theirs):
        one["matchers"] = sorted(one["matchers"], key=str)
    differ = ("id", "updatedAt", "endsAt", "startsAt")
    assert [{k: v for k, v in s.items() if k not in differ} for s in ours] == [
        {k: v for k, v in s.items() if k not in differ} for s in theirs
    ]
    assert {frozenset(s) for s in ours} == {frozenset(s) for s in theirs}


@pytest.mark.parametrize(("path", "query"), REFUSED)
def test_refusals_have_the_same_status_and_shape(
    both: tuple[Simulated, Real], path: str, query: tuple[tuple[str, str], ...]
) -> None:
    simulated, real = both
    ours, theirs = simulated.get(path, query), real.get(path, query)
    assert ours[0] == theirs[0]
    assert type(ours[1]) is type(theirs[1])


def test_status_has_the_same_keys(both: tuple[Simulated, Real]) -> None:
    simulated, real = both
    ours, theirs = simulated.get("/api/v2/status")[1], real.get("/api/v2/status")[1]
    assert set(ours) == set(theirs)
    assert set(ours["versionInfo"]) == set(theirs["versionInfo"])
