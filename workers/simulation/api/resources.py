"""Which resources the cluster serves: group, version, plural, kind. The only list of them."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass

_ALL = frozenset(
    ("pods", "services", "replicationcontrollers", "deployments", "replicasets", "statefulsets", "daemonsets", "jobs",
     "cronjobs", "horizontalpodautoscalers")
)  # fmt: skip


@dataclass(frozen=True)
class Resource:
    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool = True
    short: tuple[str, ...] = ()
    sub: tuple[str, ...] = ()
    crd: bool = False
    """Of a custom resource definition: served only where the cluster has such objects."""

    @property
    def group_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def is_everyday(self) -> bool:
        """Of the category that `kubectl get all` means."""
        return self.plural in _ALL and self.group != "metrics.k8s.io"

    @property
    def singular(self) -> str:
        return self.kind.lower()


RESOURCES = (
    Resource("", "v1", "pods", "Pod", short=("po",), sub=("log", "status")),
    Resource("", "v1", "services", "Service", short=("svc",), sub=("status",)),
    Resource("", "v1", "endpoints", "Endpoints", short=("ep",)),
    Resource("", "v1", "configmaps", "ConfigMap", short=("cm",)),
    Resource("", "v1", "secrets", "Secret"),
    Resource("", "v1", "events", "Event", short=("ev",)),
    Resource("", "v1", "namespaces", "Namespace", False, ("ns",), ("status",)),
    Resource("", "v1", "nodes", "Node", False, ("no",), ("status",)),
    Resource("", "v1", "persistentvolumeclaims", "PersistentVolumeClaim", short=("pvc",), sub=("status",)),
    Resource("", "v1", "persistentvolumes", "PersistentVolume", False, ("pv",), ("status",)),
    Resource("", "v1", "serviceaccounts", "ServiceAccount", short=("sa",)),
    Resource("", "v1", "resourcequotas", "ResourceQuota", short=("quota",), sub=("status",)),
    Resource("", "v1", "limitranges", "LimitRange", short=("limits",)),
    Resource("", "v1", "replicationcontrollers", "ReplicationController", short=("rc",)),
    Resource("apps", "v1", "deployments", "Deployment", short=("deploy",), sub=("scale", "status")),
    Resource("apps", "v1", "replicasets", "ReplicaSet", short=("rs",), sub=("scale", "status")),
    Resource("apps", "v1", "statefulsets", "StatefulSet", short=("sts",), sub=("scale", "status")),
    Resource("apps", "v1", "daemonsets", "DaemonSet", short=("ds",), sub=("status",)),
    Resource("apps", "v1", "controllerrevisions", "ControllerRevision"),
    Resource("batch", "v1", "jobs", "Job", sub=("status",)),
    Resource("batch", "v1", "cronjobs", "CronJob", short=("cj",), sub=("status",)),
    Resource(
        "autoscaling", "v2", "horizontalpodautoscalers", "HorizontalPodAutoscaler", short=("hpa",), sub=("status",)
    ),
    Resource(
        "autoscaling", "v1", "horizontalpodautoscalers", "HorizontalPodAutoscaler", short=("hpa",), sub=("status",)
    ),
    Resource("networking.k8s.io", "v1", "ingresses", "Ingress", short=("ing",), sub=("status",)),
    Resource("networking.k8s.io", "v1", "ingressclasses", "IngressClass", False),
    Resource("networking.k8s.io", "v1", "networkpolicies", "NetworkPolicy", short=("netpol",)),
    Resource("discovery.k8s.io", "v1", "endpointslices", "EndpointSlice"),
    Resource("events.k8s.io", "v1", "events", "Event", short=("ev",)),
    Resource("policy", "v1", "poddisruptionbudgets", "PodDisruptionBudget", short=("pdb",), sub=("status",)),
    Resource("storage.k8s.io", "v1", "storageclasses", "StorageClass", False, ("sc",)),
    Resource("storage.k8s.io", "v1", "volumeattachments", "VolumeAttachment", False),
    Resource("scheduling.k8s.io", "v1", "priorityclasses", "PriorityClass", False, ("pc",)),
    Resource("coordination.k8s.io", "v1", "leases", "Lease"),
    Resource("rbac.authorization.k8s.io", "v1", "roles", "Role"),
    Resource("rbac.authorization.k8s.io", "v1", "rolebindings", "RoleBinding"),
    Resource("rbac.authorization.k8s.io", "v1", "clusterroles", "ClusterRole", False),
    Resource("rbac.authorization.k8s.io", "v1", "clusterrolebindings", "ClusterRoleBinding", False),
    Resource(
        "admissionregistration.k8s.io", "v1", "mutatingwebhookconfigurations", "MutatingWebhookConfiguration", False
    ),
    Resource(
        "admissionregistration.k8s.io", "v1", "validatingwebhookconfigurations", "ValidatingWebhookConfiguration", False
    ),
    Resource(
        "apiextensions.k8s.io", "v1", "customresourcedefinitions", "CustomResourceDefinition", False, ("crd", "crds")
    ),
    Resource("security.istio.io", "v1", "authorizationpolicies", "AuthorizationPolicy", short=("ap",), crd=True),
    Resource("security.istio.io", "v1", "peerauthentications", "PeerAuthentication", short=("pa",), crd=True),
    Resource("metrics.k8s.io", "v1beta1", "pods", "PodMetrics"),
    Resource("metrics.k8s.io", "v1beta1", "nodes", "NodeMetrics", False),
)

GROUPS = tuple(dict.fromkeys(r.group for r in RESOURCES if r.group))


def served(kinds: Container[str]) -> tuple[Resource, ...]:
    """What a cluster serves that has custom objects of these kinds."""
    return tuple(r for r in RESOURCES if not r.crd or r.kind in kinds)


def resource(group: str, version: str, plural: str) -> Resource | None:
    return next((r for r in RESOURCES if (r.group, r.version, r.plural) == (group, version, plural)), None)
