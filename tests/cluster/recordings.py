"""What the API server said of a case, kept as one small file and served again without a cluster.

Objects are kept whole (managedFields and all), of the case's namespace, of kube-system and of the cluster; values of
Secrets are masked. Lists of kinds that the cluster does not serve stay unserved.
"""

from __future__ import annotations

import json
import lzma
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from skills.kubernetes import kinds
from skills.redact import Redactor
from tests.cluster.control_plane import ControlPlane
from tests.cluster.staging import Staged
from tests.skills.kubernetes import server


@dataclass(frozen=True)
class Recording:
    case: dict[str, Any]
    namespace: str
    began: datetime
    now: datetime
    fired: dict[str, Any] | None
    objects: list[dict[str, Any]]


def keep(cluster: ControlPlane, folder: Path, it: Staged, now: datetime, fired: dict[str, Any] | None) -> None:
    """One file, named after the case."""
    body = {
        "case": it.case,
        "namespace": it.namespace,
        "began": it.began.isoformat(),
        "now": now.isoformat(),
        "fired": fired,
        "objects": [*_objects(cluster, it.namespace)],
    }
    write(folder / f"{it.case['name']}.json.xz", body)


def write(path: Path, body: Mapping[str, Any]) -> None:
    text = json.dumps(body, sort_keys=True, separators=(",", ":"))
    path.write_bytes(lzma.compress(text.encode(), preset=9 | lzma.PRESET_EXTREME))


def _objects(cluster: ControlPlane, namespace: str) -> Iterator[dict[str, Any]]:
    redactor = Redactor(b"")
    wanted = [(kind, place) for kind in kinds.IN_NAMESPACE for place in (namespace, kinds.SYSTEM_NAMESPACE)]
    wanted += [(kinds.EVENT, "default")]
    wanted += [(kind, "") for kind in kinds.OF_CLUSTER]
    wanted += [(kinds.LEASE, kinds.LEASE_NAMESPACE), (kinds.LEASE, kinds.SYSTEM_NAMESPACE)]
    for kind, place in wanted:
        found = json.loads(cluster.kubectl("get", f"--raw={kind.path(place)}"))
        for each in found["items"]:
            if kind.name == "PersistentVolume" and not _concerns(each, namespace):
                continue
            if kind.name == "Secret":
                each["data"] = dict.fromkeys(each.get("data", {}), "bWFza2Vk")
            each = {"apiVersion": found["apiVersion"], "kind": kind.name, **each}
            yield redactor.value(each)


def _concerns(volume: dict[str, Any], namespace: str) -> bool:
    claim = volume["spec"].get("claimRef", {}).get("namespace")
    spare = claim is None and volume["metadata"]["name"].startswith("disk-")
    return claim == namespace or (claim is None and not spare)


def read(path: Path) -> Recording:
    it = json.loads(lzma.decompress(path.read_bytes()))
    began, now = datetime.fromisoformat(it["began"]), datetime.fromisoformat(it["now"])
    return Recording(it["case"], it["namespace"], began, now, it.get("fired"), it["objects"])


@contextmanager
def served(it: Recording) -> Iterator[str]:
    with server.serving(server.Cluster(list(it.objects))) as url:
        yield url
