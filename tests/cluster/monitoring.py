"""kube-state-metrics and Prometheus, the real ones, over the control plane: the series and the alerts of each case.

Only what objects and the API server tell: no container runs, so no exporter of a container or a node has anything to
say. A cluster that is minutes old has a baseline of minutes; that is so on many a morning.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import yaml

from tests.cluster.control_plane import TOKEN, ControlPlane, free_port

_RULES = Path(__file__).parent / "rules.yaml"


def programs(bin_folder: Path) -> tuple[Path, Path] | None:
    """kube-state-metrics and Prometheus as `build.sh` put them there; None when it could not."""
    metrics = bin_folder / "kube-state-metrics"
    where = os.pathsep.join([str(bin_folder), os.environ.get("PATH", "")])
    prometheus = shutil.which("prometheus", path=where)
    return (metrics, Path(prometheus)) if metrics.exists() and prometheus else None


class Monitoring:
    """Running processes. `close()` ends them."""

    def __init__(self, found: tuple[Path, Path], cluster: ControlPlane, folder: Path) -> None:
        state, telemetry, port = free_port(), free_port(), free_port()
        self.url = f"http://127.0.0.1:{port}"
        self._processes: list[subprocess.Popen[bytes]] = []
        (folder / "rules.yaml").write_text(_RULES.read_text())
        (folder / "prometheus.yml").write_text(yaml.safe_dump(_configuration(state, cluster.port)))
        metrics, prometheus = found
        self._begin(
            folder,
            metrics,
            f"--kubeconfig={cluster.folder / 'kubeconfig'}",
            "--host=127.0.0.1",
            f"--port={state}",
            "--telemetry-host=127.0.0.1",
            f"--telemetry-port={telemetry}",
        )
        self._begin(
            folder,
            prometheus,
            "--config.file=prometheus.yml",
            f"--storage.tsdb.path={folder / 'series'}",
            f"--web.listen-address=127.0.0.1:{port}",
        )
        for _ in range(300):
            try:
                urlopen(f"{self.url}/-/ready").close()
                return
            except (URLError, ConnectionError):
                time.sleep(0.2)
        raise AssertionError("Prometheus did not come up")

    def _begin(self, folder: Path, program: Path, *arguments: str) -> None:
        with (folder / f"{program.name}.log").open("ab") as log:
            self._processes.append(subprocess.Popen([str(program), *arguments], stdout=log, stderr=log, cwd=folder))

    def alert(self, labels: Mapping[str, str]) -> dict[str, Any] | None:
        """The firing alert that has these labels, as Prometheus tells it."""
        with urlopen(f"{self.url}/api/v1/alerts") as answer:
            alerts = json.load(answer)["data"]["alerts"]
        ours = [a for a in alerts if a["state"] == "firing" and labels.items() <= a["labels"].items()]
        return min(ours, key=lambda a: str(a["labels"])) if ours else None

    def close(self) -> None:
        for each in self._processes:
            each.terminate()
            each.wait(20)


def _configuration(state: int, api: int) -> dict[str, Any]:
    return {
        "global": {"scrape_interval": "5s", "evaluation_interval": "5s"},
        "rule_files": ["rules.yaml"],
        "scrape_configs": [
            {
                "job_name": "kube-state-metrics",
                "honor_labels": True,
                "static_configs": [{"targets": [f"127.0.0.1:{state}"]}],
            },
            {
                "job_name": "apiserver",
                "scheme": "https",
                "scrape_interval": "15s",
                "authorization": {"credentials": TOKEN},
                "tls_config": {"insecure_skip_verify": True},
                "static_configs": [{"targets": [f"127.0.0.1:{api}"]}],
                "metric_relabel_configs": [
                    {"source_labels": ["__name__"], "regex": ".*_bucket|etcd_.*", "action": "drop"}
                ],
            },
        ],
    }
