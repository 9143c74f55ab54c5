"""How the cluster is asked: with which credentials, how often, and by which client."""

from __future__ import annotations

import sys
from subprocess import run

import pytest

from skills.contract import Access, QueryMeter, ToolError
from skills.elasticsearch.settings import Settings
from skills.elasticsearch.tools import connect
from tests.skills.elasticsearch.cluster import Cluster, serve
from tests.skills.elasticsearch.layouts import TYPES, incident
from tests.skills.elasticsearch.test_look import CONTEXT


@pytest.mark.parametrize(
    ("settings", "header"),
    [
        ({"api_key_env": "KEY"}, "ApiKey made-up"),
        ({"username": "app", "password_env": "KEY"}, "Basic YXBwOm1hZGUtdXA="),
        ({"api_key_env": "UNSET"}, None),
    ],
)
@pytest.mark.parametrize("product", ["Elasticsearch", "OpenSearch"])
def test_credentials_are_sent_to_either_product_and_only_where_they_are_set(
    settings: dict[str, str], header: str | None, product: str
) -> None:
    with serve(Cluster(incident("ecs"), TYPES["ecs"], product=product)) as cluster:
        access = Access(Settings(url=cluster.url, **settings), {"KEY": "made-up"}.get, QueryMeter("elasticsearch"))  # type: ignore[arg-type]
        connect(access).reach()
    assert {headers.get("authorization") for headers in cluster.headers} == {header}


def test_requests_and_bytes_are_metered_and_limited() -> None:
    with serve(Cluster(incident("ecs"), TYPES["ecs"])) as cluster:
        meter = QueryMeter("elasticsearch", limit=2)
        connected = connect(Access(Settings(url=cluster.url), lambda _: None, meter))
        with pytest.raises(ToolError, match="limit of 2 requests"):
            connected.first_look(CONTEXT)
    assert (len(cluster.asked), meter.requests) == (2, 2)
    assert meter.bytes > 1000


def test_the_vendors_client_is_not_imported_before_the_first_question() -> None:
    code = "import sys, skills.elasticsearch.tools; print({'elasticsearch', 'elastic_transport'} & set(sys.modules))"
    assert run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"
