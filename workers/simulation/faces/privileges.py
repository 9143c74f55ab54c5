"""What a key that may read logs may not do, by the names that Elasticsearch's actions have.

Names: the actions of the server's transport layer, as its security_exception spells them.
"""

from __future__ import annotations

from workers.simulation.faces.exchange import Ask

WRITTEN = {
    "_doc": "indices:data/write/index",
    "_create": "indices:data/write/index",
    "_update": "indices:data/write/update",
    "_bulk": "indices:data/write/bulk",
    "_update_by_query": "indices:data/write/update/byquery",
    "_delete_by_query": "indices:data/write/delete/byquery",
    "_reindex": "indices:data/write/reindex",
}
"""By what is written to, the action that a reader may not."""
UNDONE = {
    "_stats": "indices:monitor/stats",
    "_settings": "indices:monitor/settings/get",
    "_alias": "indices:admin/aliases/get",
    "_data_stream": "indices:admin/data_stream/get",
    "_validate": "indices:admin/validate/query",
    "_sql": "indices:data/read/sql",
    "_async_search": "indices:data/read/async_search/submit",
    "_nodes": "cluster:monitor/nodes/info",
    "_tasks": "cluster:monitor/tasks/lists",
    "_snapshot": "cluster:admin/snapshot/get",
    "_ingest": "cluster:admin/ingest/pipeline/get",
    "_cluster/state": "cluster:monitor/state",
    "_cluster/stats": "cluster:monitor/stats",
    "_cluster/settings": "cluster:monitor/settings",
}
"""What the real one can and this face does not: a key that may read logs need not have it."""


def written(ask: Ask) -> str:
    for verb, action in WRITTEN.items():
        if f"/{verb}" in ask.path:
            return action
    return "indices:admin/delete" if ask.method == "DELETE" else "indices:admin/create"
