"""The Kubernetes face through the official client, with and without its strict models."""

from __future__ import annotations

import json
import urllib.request

import pytest
from kubernetes import client
from kubernetes.client.exceptions import ApiException

from workers.simulation import Running
from workers.simulation.faces.exchange import Ask
from workers.simulation.faces.kubernetes import Kubernetes


def api(running: Running) -> client.ApiClient:
    configuration = client.Configuration()
    configuration.host = running.urls["kubernetes"]
    configuration.retries = False
    return client.ApiClient(configuration)


@pytest.mark.parametrize("scenario", ["oom", "mismatch", "defect"])
def test_strict_models_accept_every_list(scenario: str, request: pytest.FixtureRequest) -> None:
    running: Running = request.getfixturevalue(scenario)
    it = api(running)
    core, apps, batch = client.CoreV1Api(it), client.AppsV1Api(it), client.BatchV1Api(it)
    lists = [
        core.list_pod_for_all_namespaces(),
        core.list_service_for_all_namespaces(),
        core.list_endpoints_for_all_namespaces(),
        core.list_config_map_for_all_namespaces(),
        core.list_secret_for_all_namespaces(),
        core.list_event_for_all_namespaces(),
        core.list_namespace(),
        core.list_node(),
        core.list_persistent_volume_claim_for_all_namespaces(),
        core.list_persistent_volume(),
        core.list_service_account_for_all_namespaces(),
        apps.list_deployment_for_all_namespaces(),
        apps.list_replica_set_for_all_namespaces(),
        apps.list_stateful_set_for_all_namespaces(),
        apps.list_daemon_set_for_all_namespaces(),
        batch.list_job_for_all_namespaces(),
        batch.list_cron_job_for_all_namespaces(),
        client.AutoscalingV2Api(it).list_horizontal_pod_autoscaler_for_all_namespaces(),
        client.NetworkingV1Api(it).list_ingress_for_all_namespaces(),
        client.NetworkingV1Api(it).list_network_policy_for_all_namespaces(),
        client.DiscoveryV1Api(it).list_endpoint_slice_for_all_namespaces(),
        client.StorageV1Api(it).list_storage_class(),
        client.CoordinationV1Api(it).list_lease_for_all_namespaces(),
        client.SchedulingV1Api(it).list_priority_class(),
    ]
    assert all(each.items for each in lists)


def test_names_uids_and_addresses_are_unique_and_never_loopback(oom: Running) -> None:
    pods = client.CoreV1Api(api(oom)).list_pod_for_all_namespaces().items
    assert (
        len({p.metadata.uid for p in pods}) == len({(p.metadata.namespace, p.metadata.name) for p in pods}) == len(pods)
    )
    own = [p.status.pod_ip for p in pods if not p.spec.host_network]
    assert len(set(own)) == len(own)
    assert not any(a.startswith(("127.", "localhost")) for a in own)


def test_paging_walks_through_everything_once(oom: Running) -> None:
    core = client.CoreV1Api(api(oom))
    whole = [p.metadata.name for p in core.list_namespaced_pod("shop").items]
    paged: list[str] = []
    token = None
    while True:
        page = core.list_namespaced_pod("shop", limit=7, _continue=token)
        paged += [p.metadata.name for p in page.items]
        token = page.metadata._continue
        if not token:
            break
    assert paged == whole
    assert len(whole) > 20


@pytest.mark.parametrize(
    ("selector", "names"),
    [
        ("app=cart", {"cart"}),
        ("app in (cart, orders)", {"cart", "orders"}),
        ("app=cart,team!=cart", set()),
        ("app=cart,!nothing", {"cart"}),
    ],
)
def test_label_selectors_choose(oom: Running, selector: str, names: set[str]) -> None:
    pods = client.CoreV1Api(api(oom)).list_namespaced_pod("shop", label_selector=selector).items
    assert {p.metadata.labels["app"] for p in pods} == names


def test_field_selectors_choose_and_refuse_as_the_server_does(oom: Running) -> None:
    core = client.CoreV1Api(api(oom))
    pod = core.list_namespaced_pod("shop", label_selector="app=cart").items[0]
    events = core.list_namespaced_event(
        "shop", field_selector=f"involvedObject.name={pod.metadata.name},type=Warning"
    ).items
    assert {e.reason for e in events} == {"BackOff"}
    with pytest.raises(ApiException) as refusal:
        core.list_namespaced_pod("shop", field_selector="spec.color=red")
    assert refusal.value.status == 400
    assert "field label not supported" in refusal.value.body


def test_missing_object_and_forbidden_verb_are_status_objects(oom: Running) -> None:
    core = client.CoreV1Api(api(oom))
    with pytest.raises(ApiException) as missing:
        core.read_namespaced_pod("cart-gone", "shop")
    assert json.loads(missing.value.body)["reason"] == "NotFound"
    with pytest.raises(ApiException) as forbidden:
        core.delete_namespaced_pod("cart-gone", "shop")
    assert json.loads(forbidden.value.body)["reason"] == "Forbidden"


def test_logs_of_the_run_that_was_killed_are_plain_text(oom: Running) -> None:
    core = client.CoreV1Api(api(oom))
    pod = core.list_namespaced_pod("shop", label_selector="app=cart").items[0]
    text = core.read_namespaced_pod_log(pod.metadata.name, "shop", previous=True, timestamps=True, tail_lines=3)
    assert len(text.splitlines()) == 3
    assert all(line.startswith("2026-11-24T14:") for line in text.splitlines())
    healthy = core.list_namespaced_pod("shop", label_selector="app=search").items[0]
    with pytest.raises(ApiException) as none:
        core.read_namespaced_pod_log(healthy.metadata.name, "shop", previous=True)
    assert "previous terminated container" in none.value.body


def test_access_review_answers_by_verb(oom: Running) -> None:
    auth = client.AuthorizationV1Api(api(oom))

    def allowed(verb: str) -> bool:
        attributes = client.V1ResourceAttributes(verb=verb, resource="pods", namespace="shop")
        review = client.V1SelfSubjectAccessReview(
            spec=client.V1SelfSubjectAccessReviewSpec(resource_attributes=attributes)
        )
        return bool(auth.create_self_subject_access_review(review).status.allowed)

    assert allowed("list")
    assert not allowed("delete")


def test_watch_ends_after_what_there_is(oom: Running) -> None:
    with urllib.request.urlopen(
        f"{oom.urls['kubernetes']}/api/v1/namespaces/shop/pods?watch=1&allowWatchBookmarks=true"
    ) as stream:
        kinds = [json.loads(line)["type"] for line in stream.read().splitlines()]
    assert kinds[-1] == "BOOKMARK"
    assert kinds.count("ADDED") > 20


def test_a_token_is_demanded_when_there_is_one_and_roles_hold(oom: Running) -> None:
    scene = oom.staged.scene
    face = Kubernetes(scene, token="made-up", forbidden=frozenset({"nodes", "pods/log"}))
    assert face.answer(Ask("GET", "/api/v1/pods")).status == 401
    known = {"authorization": "Bearer made-up"}
    assert face.answer(Ask("GET", "/api/v1/pods", headers=known)).status == 200
    refused = json.loads(face.answer(Ask("GET", "/api/v1/nodes", headers=known)).body)
    assert (refused["code"], refused["reason"]) == (403, "Forbidden")
    assert 'cannot list resource "nodes"' in refused["message"]


def test_an_unknown_path_is_a_404_of_the_real_shape(oom: Running) -> None:
    answer = Kubernetes(oom.staged.scene).answer(Ask("GET", "/apis/example.com/v1/widgets"))
    assert json.loads(answer.body)["message"] == "the server could not find the requested resource"
