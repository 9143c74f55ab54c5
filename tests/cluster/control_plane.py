"""A real Kubernetes control plane on loopback: API server, controllers and scheduler are the real ones. Kubelets are
played (kubelets.py), so pods run and become ready without any container.

What it decides (scheduling, admission, quota, rollouts, volume binding, endpoints, evictions, events) is what a cluster
decides. Objects are stored as JSON, so that a test can make them older (ageing.py).
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

TOKEN = "made-up-token-of-a-test"  # known to this control plane only, which lives on loopback
PARTS = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler")


def binaries() -> Path | None:
    """Where `make cluster` built the programs; None when it has not."""
    folder = Path(os.environ.get("GUMSHOE_CLUSTER", "nowhere")) / "bin"
    return folder if all((folder / part).exists() for part in PARTS) and shutil.which("kubectl") else None


class ControlPlane:
    """Running processes. `close()` ends them."""

    def __init__(self, bin_folder: Path, folder: Path) -> None:
        self._bin, self.folder = bin_folder, folder
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self.port, etcd, peers = (free_port() for _ in range(3))
        self.url, self.etcd = f"https://127.0.0.1:{self.port}", f"http://127.0.0.1:{etcd}"
        self._write_credentials()
        self.begin(
            "etcd",
            f"--data-dir={folder / 'etcd'}",
            f"--listen-client-urls=http://127.0.0.1:{etcd}",
            f"--advertise-client-urls=http://127.0.0.1:{etcd}",
            f"--listen-peer-urls=http://127.0.0.1:{peers}",
            "--unsafe-no-fsync",
        )
        self.begin(
            "kube-apiserver",
            f"--etcd-servers=http://127.0.0.1:{etcd}",
            "--bind-address=127.0.0.1",
            f"--secure-port={self.port}",
            f"--cert-dir={folder / 'certs'}",
            f"--service-account-key-file={folder / 'sa.pub'}",
            f"--service-account-signing-key-file={folder / 'sa.key'}",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--token-auth-file={folder / 'tokens.csv'}",
            "--authorization-mode=RBAC",
            "--storage-media-type=application/json",
            # Pods leave a dead node after half a minute instead of five.
            "--default-not-ready-toleration-seconds=30",
            "--default-unreachable-toleration-seconds=30",
            "--service-cluster-ip-range=10.96.0.0/16",
        )
        self._wait_for(lambda: "ok" in self.kubectl("get", "--raw=/readyz", check=False))
        self.begin(
            "kube-controller-manager",
            f"--kubeconfig={folder / 'kubeconfig'}",
            f"--service-account-private-key-file={folder / 'sa.key'}",
            "--secure-port=0",
            "--node-monitor-grace-period=20s",
        )
        self.begin("kube-scheduler", f"--kubeconfig={folder / 'kubeconfig'}", "--secure-port=0")
        self._wait_for(lambda: "default" in self.kubectl("get", "serviceaccounts", "-A", check=False))

    def _write_credentials(self) -> None:
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        (self.folder / "sa.key").write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        public = serialization.PublicFormat.SubjectPublicKeyInfo
        (self.folder / "sa.pub").write_bytes(key.public_key().public_bytes(serialization.Encoding.PEM, public))
        (self.folder / "tokens.csv").write_text(f'{TOKEN},admin,1,"system:masters"\n')
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "c", "cluster": {"server": self.url, "insecure-skip-tls-verify": True}}],
            "users": [{"name": "u", "user": {"token": TOKEN}}],
            "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
            "current-context": "x",
        }
        (self.folder / "kubeconfig").write_text(yaml.safe_dump(config))

    def begin(self, part: str, *arguments: str) -> None:
        with (self.folder / f"{part}.log").open("ab") as log:
            command = [str(self._bin / part), *arguments]
            self._processes[part] = subprocess.Popen(command, stdout=log, stderr=log, cwd=self.folder)
        self._last = {**getattr(self, "_last", {}), part: arguments}

    def end(self, part: str) -> None:
        process = self._processes.pop(part)
        process.terminate()
        process.wait(20)

    def again(self, part: str) -> None:
        """Start a part that was ended."""
        self.begin(part, *self._last[part])

    def kubectl(self, *arguments: str, given: str | None = None, check: bool = True) -> str:
        command = ["kubectl", f"--kubeconfig={self.folder / 'kubeconfig'}", *arguments]
        done = subprocess.run(command, input=given, capture_output=True, text=True)
        if check and done.returncode:
            raise AssertionError(f"{' '.join(arguments)}: {done.stderr}")
        return done.stdout + ("" if check else done.stderr)

    def apply(self, objects: Sequence[Any], *, check: bool = True) -> str:
        return self.kubectl("apply", "-f", "-", given=yaml.safe_dump_all(objects), check=check)

    def _wait_for(self, ready: Any) -> None:
        for _ in range(300):
            if ready():
                return
            for part, process in self._processes.items():
                assert process.poll() is None, (self.folder / f"{part}.log").read_text()[-3000:]
            time.sleep(0.2)
        raise AssertionError("the control plane did not come up")

    def close(self) -> None:
        for part in reversed(PARTS):
            if part in self._processes:
                self.end(part)


def free_port() -> int:
    with socket.socket() as it:
        it.bind(("127.0.0.1", 0))
        port: int = it.getsockname()[1]
        return port
