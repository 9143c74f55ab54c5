"""Which kinds are read, and where the API serves them. The only module that knows paths."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    name: str
    base: str
    """`/api/v1` or `/apis/<group>/<version>`"""
    plural: str
    namespaced: bool = True
    optional: bool = False
    """Of an API group that many clusters do not have: its absence is no gap."""

    def path(self, namespace: str = "", name: str = "") -> str:
        place = f"/namespaces/{namespace}" if self.namespaced and namespace else ""
        return f"{self.base}{place}/{self.plural}" + (f"/{name}" if name else "")


CORE, APPS, BATCH, NETWORK = "/api/v1", "/apis/apps/v1", "/apis/batch/v1", "/apis/networking.k8s.io/v1"
RBAC, STORAGE = "/apis/rbac.authorization.k8s.io/v1", "/apis/storage.k8s.io/v1"

POD = Kind("Pod", CORE, "pods")
EVENT = Kind("Event", CORE, "events")
NAMESPACE = Kind("Namespace", CORE, "namespaces", namespaced=False)
NODE = Kind("Node", CORE, "nodes", namespaced=False)
SERVICE = Kind("Service", CORE, "services")
DEPLOYMENT = Kind("Deployment", APPS, "deployments")
DAEMON_SET = Kind("DaemonSet", APPS, "daemonsets")
CONFIG_MAP = Kind("ConfigMap", CORE, "configmaps")
SECRET = Kind("Secret", CORE, "secrets")
LEASE = Kind("Lease", "/apis/coordination.k8s.io/v1", "leases")
CLUSTER_ROLE = Kind("ClusterRole", RBAC, "clusterroles", namespaced=False)
CLUSTER_ROLE_BINDING = Kind("ClusterRoleBinding", RBAC, "clusterrolebindings", namespaced=False)

REPLICA_SET = Kind("ReplicaSet", APPS, "replicasets")
STATEFUL_SET = Kind("StatefulSet", APPS, "statefulsets")
ENDPOINT_SLICE = Kind("EndpointSlice", "/apis/discovery.k8s.io/v1", "endpointslices")
NETWORK_POLICY = Kind("NetworkPolicy", NETWORK, "networkpolicies")
DISRUPTION_BUDGET = Kind("PodDisruptionBudget", "/apis/policy/v1", "poddisruptionbudgets")
SERVICE_ACCOUNT = Kind("ServiceAccount", CORE, "serviceaccounts")
ROLE, ROLE_BINDING = Kind("Role", RBAC, "roles"), Kind("RoleBinding", RBAC, "rolebindings")
CONTROLLER_REVISION = Kind("ControllerRevision", APPS, "controllerrevisions")
PERSISTENT_VOLUME = Kind("PersistentVolume", CORE, "persistentvolumes", namespaced=False)
STORAGE_CLASS = Kind("StorageClass", STORAGE, "storageclasses", namespaced=False)
INGRESS_CLASS = Kind("IngressClass", NETWORK, "ingressclasses", namespaced=False)
_ADMISSION = "/apis/admissionregistration.k8s.io/v1"
WEBHOOKS = (
    Kind("ValidatingWebhookConfiguration", _ADMISSION, "validatingwebhookconfigurations", namespaced=False),
    Kind("MutatingWebhookConfiguration", _ADMISSION, "mutatingwebhookconfigurations", namespaced=False),
)

FIRST = (
    # What most diagnoses need comes first: whatever does not fit into the time of a first look is left out from
    # the end.
    POD,
    EVENT,
    SERVICE,
    DEPLOYMENT,
    REPLICA_SET,
    STATEFUL_SET,
    ENDPOINT_SLICE,
    CONFIG_MAP,
    SECRET,
    Kind("PersistentVolumeClaim", CORE, "persistentvolumeclaims"),
    Kind("ResourceQuota", CORE, "resourcequotas"),
    NETWORK_POLICY,
    Kind("Ingress", NETWORK, "ingresses"),
    DAEMON_SET,
    Kind("Job", BATCH, "jobs"),
    Kind("CronJob", BATCH, "cronjobs"),
    Kind("HorizontalPodAutoscaler", "/apis/autoscaling/v2", "horizontalpodautoscalers"),
)
"""Read of the alert's namespace in every first look."""
LIGHT = (POD, SERVICE, ENDPOINT_SLICE, DEPLOYMENT, STATEFUL_SET, NETWORK_POLICY)
"""Read of the namespaces around it: enough to see whether anything deviates there, and who calls whom."""
LATER = (
    SERVICE_ACCOUNT,
    Kind("LimitRange", CORE, "limitranges"),
    DISRUPTION_BUDGET,
    ROLE,
    ROLE_BINDING,
    CONTROLLER_REVISION,
)
"""Read when something that was seen makes them worth it, or when somebody asks."""
IN_NAMESPACE = (*FIRST, *LATER)

OF_CLUSTER = (
    NODE,
    NAMESPACE,
    PERSISTENT_VOLUME,
    STORAGE_CLASS,
    INGRESS_CLASS,
    Kind("PriorityClass", "/apis/scheduling.k8s.io/v1", "priorityclasses", namespaced=False),
    *WEBHOOKS,
)

OPTIONAL = (
    # Istio security.istio.io, Gateway API, cert-manager, Cilium and others, new to old; the first one served is read.
    Kind("AuthorizationPolicy", "/apis/security.istio.io/v1", "authorizationpolicies", optional=True),
    Kind("AuthorizationPolicy", "/apis/security.istio.io/v1beta1", "authorizationpolicies", optional=True),
    Kind("PeerAuthentication", "/apis/security.istio.io/v1", "peerauthentications", optional=True),
    Kind("PeerAuthentication", "/apis/security.istio.io/v1beta1", "peerauthentications", optional=True),
    Kind("DestinationRule", "/apis/networking.istio.io/v1", "destinationrules", optional=True),
    Kind("DestinationRule", "/apis/networking.istio.io/v1beta1", "destinationrules", optional=True),
    Kind("VirtualService", "/apis/networking.istio.io/v1", "virtualservices", optional=True),
    Kind("VirtualService", "/apis/networking.istio.io/v1beta1", "virtualservices", optional=True),
    Kind("HTTPRoute", "/apis/gateway.networking.k8s.io/v1", "httproutes", optional=True),
    Kind("HTTPRoute", "/apis/gateway.networking.k8s.io/v1beta1", "httproutes", optional=True),
    Kind("GRPCRoute", "/apis/gateway.networking.k8s.io/v1", "grpcroutes", optional=True),
    Kind("Gateway", "/apis/gateway.networking.k8s.io/v1", "gateways", optional=True),
    Kind("Gateway", "/apis/gateway.networking.k8s.io/v1beta1", "gateways", optional=True),
    Kind("Certificate", "/apis/cert-manager.io/v1", "certificates", optional=True),
    Kind("CiliumNetworkPolicy", "/apis/cilium.io/v2", "ciliumnetworkpolicies", optional=True),
    # Workloads of other makers: Argo Rollouts, OpenShift.
    Kind("Rollout", "/apis/argoproj.io/v1alpha1", "rollouts", optional=True),
    Kind("DeploymentConfig", "/apis/apps.openshift.io/v1", "deploymentconfigs", optional=True),
)

ENDPOINTS = Kind("Endpoints", CORE, "endpoints")
"""Read only where EndpointSlices are not served (before Kubernetes 1.21)."""

SYSTEM_NAMESPACE = "kube-system"
LEASE_NAMESPACE = "kube-node-lease"
IN_SYSTEM = (DEPLOYMENT, DAEMON_SET)
"""Pods of kube-system are many on a large cluster (several a node): their controllers tell first."""

SYSTEM_NAMESPACES = frozenset(
    {
        "kube-system", "kube-public", "kube-node-lease", "local-path-storage", "ingress-nginx", "cert-manager",
        "istio-system", "linkerd", "metallb-system", "monitoring", "observe", "observability", "openebs",
        "gatekeeper-system",
        "kyverno", "calico-system", "calico-apiserver", "tigera-operator", "cilium", "chaos-mesh", "chaos-testing",
        "litmus", "argocd", "flux-system", "logging", "elastic-system", "velero", "kubernetes-dashboard", "keda",
    }
)  # fmt: skip
"""Where tools live rather than applications: looked at only when an alert or a setting names them."""


def by_name(name: str) -> Kind | None:
    every = (*IN_NAMESPACE, *OF_CLUSTER, *OPTIONAL, ENDPOINTS, LEASE, CLUSTER_ROLE, CLUSTER_ROLE_BINDING)
    return next((k for k in every if k.name.lower() == name.lower() or k.plural == name.lower()), None)


def plural(kind: str) -> str:
    found = by_name(kind)
    return found.plural if found else f"{kind.lower()}s"
