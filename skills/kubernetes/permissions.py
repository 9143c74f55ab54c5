"""What a service account must be allowed to see, tried out for `gumshoe doctor`: each kind by a list of one object."""

from __future__ import annotations

from collections.abc import Sequence

from skills.contract import Check, SkillError, ToolError
from skills.kubernetes.client import METADATA_ONLY, Client, Denied, NotServed
from skills.kubernetes.kinds import IN_NAMESPACE, LEASE, OF_CLUSTER, SECRET, Kind
from skills.kubernetes.settings import Settings
from skills.trouble import failed

_REMEDY = "apply config/kubernetes-rbac.yaml, or grant the verb and resource named here"
_OPTIONAL_LOSS = {
    "Secret": "missing Secrets are then recognised by events only",
    "Node": "node troubles and unmatched selectors are then not seen",
    "Event": "most refusals are then not seen",
}


def checks(client: Client, settings: Settings) -> list[Check]:
    """Never raises. Reachability first; if that fails, nothing else is tried."""
    where = settings.url or settings.context or "in-cluster"
    try:
        version = client.get("/version")
    except SkillError as error:
        return [Check(f"kubernetes {where}", False, str(error), "check context or in_cluster of skills.kubernetes")]
    except ToolError as error:
        return [failed(f"kubernetes {where}", error, "check url, context or in_cluster, ca_file and token_env")]
    found = [Check(f"kubernetes {where}", True, f"version {version.get('gitVersion', 'unknown')}")]
    places: Sequence[str] = settings.namespaces[:3] or ("",)
    for kind in IN_NAMESPACE:
        found += [_list(client, kind, place) for place in places]
    found += [_list(client, kind, "") for kind in OF_CLUSTER]
    found.append(_list(client, LEASE, "kube-node-lease"))
    return found


def _list(client: Client, kind: Kind, place: str) -> Check:
    what = f"list {kind.plural}" + (f" in {place}" if place else "")
    accept = METADATA_ONLY if kind is SECRET else "application/json"
    try:
        client.list(kind.path(place), {"limit": 1}, accept=accept, pages=1)
    except NotServed:
        return Check(what, True, "not served by this cluster")
    except Denied as error:
        return Check(
            what,
            False,
            error.words,
            f"{_REMEDY}; {_OPTIONAL_LOSS.get(kind.name, 'Gumshoe works without it, blind to it')}",
        )
    except ToolError as error:
        return failed(what, error, "look at the API server's health")
    return Check(what, True, "allowed")
