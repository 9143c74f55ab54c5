"""The simulated PagerDuty through PagerDuty's own client, whose addresses stay those of the real service."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from workers.simulation import Running, start

pytestmark = pytest.mark.faces
pagerduty = pytest.importorskip("pagerduty", reason="`make faces` installs it")
httpx = pytest.importorskip("httpx2", reason="the client brings it")

WORLDS = ("oom-after-deploy", "two-at-once", "poison-message")


@pytest.fixture(scope="module", params=WORLDS)
def world(request: pytest.FixtureRequest) -> Iterator[Running]:
    running = start(request.param, skills=("pagerduty",))
    yield running
    running.close()


@pytest.fixture
def client(world: Running) -> Any:
    """The client insists on HTTPS and on its own host; the wire leads to the face."""
    face = httpx.URL(world.urls["pagerduty"])

    class Wire(httpx.HTTPTransport):  # type: ignore[misc, name-defined]  # a module that may be absent
        def handle_request(self, request: Any) -> Any:
            assert request.url.host == "api.pagerduty.com"
            request.url = face.copy_with(raw_path=request.url.raw_path)
            return super().handle_request(request)

    return pagerduty.RestApiV2Client("t", transport=Wire())


LISTS = ("incidents", "services", "users", "teams", "escalation_policies", "schedules", "oncalls", "change_events")
ONE = ("incidents", "services", "users", "teams", "escalation_policies")


@pytest.mark.parametrize("plural", LISTS)
def test_a_list_is_paged_to_its_end_and_its_objects_are_found_by_their_own_address(client: Any, plural: str) -> None:
    whole = client.list_all(plural)
    assert whole
    assert list(client.iter_all(plural, page_size=3, total=True)) == whole
    if plural in ONE:
        for each in whole[:5]:
            assert client.rget(each) == each
            assert each["type"] == client.rget(each["self"])["type"]


def test_who_is_named_anywhere_is_there(client: Any) -> None:
    """Every reference of every open incident and rota leads to its object."""
    found = 0
    for incident in client.list_all("incidents", params={"statuses[]": ["triggered", "acknowledged"]}):
        named = [incident["service"], incident["escalation_policy"], *incident["teams"]]
        named += [a["assignee"] for a in incident["assignments"]]
        named += [a["acknowledger"] for a in incident["acknowledgements"]]
        for reference in named:
            assert client.rget(reference)["summary"] == reference["summary"]
            found += 1
        assert len(client.list_all(f"incidents/{incident['id']}/alerts")) == incident["alert_counts"]["all"]
        assert client.list_all(f"incidents/{incident['id']}/log_entries")[-1]["type"] == "trigger_log_entry"
        assert isinstance(client.rget(f"incidents/{incident['id']}/notes"), list)
        assert isinstance(client.rget(f"incidents/{incident['id']}/past_incidents"), list)
        assert isinstance(client.rget(f"incidents/{incident['id']}/related_incidents"), list)
        client.list_all(f"incidents/{incident['id']}/related_change_events")
    for shift in client.list_all("oncalls"):
        assert client.rget(shift["user"])["name"] == shift["user"]["summary"]
        assert client.rget(shift["escalation_policy"])["name"] == shift["escalation_policy"]["summary"]
        found += 2
    assert found > 20


def test_a_service_is_found_by_its_name(client: Any) -> None:
    some = client.list_all("services")[0]
    assert client.find("services", some["name"]) == some
    assert client.find("services", "no such service") is None
    assert client.subdomain


def test_refusals_are_those_that_the_client_knows(client: Any, world: Running) -> None:
    with pytest.raises(pagerduty.HttpError) as lost:
        client.rget("incidents/QNOTTHERE00000")
    assert lost.value.response.status_code == 404
    incident = client.list_all("incidents")[-1]
    with pytest.raises(pagerduty.HttpError) as denied:
        client.rput(incident, json={"type": "incident_reference", "status": "resolved"})
    assert denied.value.response.status_code == 403
    assert client.api_key_access == "account"
