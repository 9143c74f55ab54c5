"""Pods refused for other reasons than quota: ServiceAccount absent (A6), webhook (A8), Pod Security (A9), API (A10).

Words: plugin/pkg/admission/serviceaccount ("error looking up service account"), apiserver admission webhook errors
("failed calling webhook", "admission webhook ... denied the request"), pod-security-admission ("violates PodSecurity").
"""

from __future__ import annotations

import re
from datetime import datetime

from skills.contract import Entity, Focus, Symptom, Window
from skills.kubernetes import cite, refusals
from skills.kubernetes.objects import Object, created, dig, entity, mapping, maps, name, namespace, strings, text
from skills.kubernetes.pods import live, name_of
from skills.kubernetes.quantities import quantity
from skills.kubernetes.refusals import Refusal
from skills.kubernetes.snapshot import Snapshot

NAME = "kubernetes.admission"
_ACCOUNT = re.compile(
    r'service ?account "?([\w./-]+?)"? not found|looking up service account ([\w-]+/[\w.-]+)', re.IGNORECASE
)
_WEBHOOK = re.compile(r'(?:failed calling|failed to call|calling) (?:admission )?webhook "([^"]+)"')
_DENIED = re.compile(r'admission webhook "([^"]+)" denied the request')
_BY_EXPRESSION = re.compile(r"ValidatingAdmissionPolicy '([^']+)'.* denied request: (.*)")
_INVALID = re.compile(r'Pod "[^"]*" is invalid: (.*)')
_OVERLOAD = re.compile(r"etcdserver: (request timed out|leader changed|too many requests)|too many requests|Timeout: "
                       r"request did not complete|the server is currently unable to handle", re.IGNORECASE)  # fmt: skip
_WEBHOOKS = ("ValidatingWebhookConfiguration", "MutatingWebhookConfiguration")


def analyze(snapshot: Snapshot, focus: Focus, window: Window, now: datetime) -> list[Symptom]:
    found = [_refused(snapshot, r) for r in refusals.of(snapshot)]
    found += [_account(snapshot, w.entity, text(w.pod_spec, "serviceAccountName")) for w in snapshot.workloads]
    found += [_mutated(snapshot, pod) for pod in live(snapshot.pods)]
    return [s for s in found if s]


def _refused(snapshot: Snapshot, refusal: Refusal) -> Symptom | None:
    words, owner = refusal.message, refusal.owner
    called, denied = _WEBHOOK.search(words), _DENIED.search(words)
    target, victims = owner, (owner, *snapshot.victims_of(owner))
    evidence = [refusal.excerpt]
    faults: tuple[str, ...]
    if called:
        hook = _configuration(snapshot, called.group(1))
        target = hook or owner
        faults, why, specificity = ("admission_webhook_fault",), f"webhook {called.group(1)} does not answer", 0.95
        if "x509:" in words:
            faults, why = (
                (*faults, "tls_certificate_invalid"),
                f"the certificate of webhook {called.group(1)} is refused",
            )
        config = snapshot.find(hook.kind, None, hook.name) if hook else None
        if hook and config:
            told = [w for w in maps(config, "webhooks") if text(w, "name") == called.group(1)]
            policy = text(told[0], "failurePolicy") if told else "?"
            evidence.append(cite.seen(snapshot, hook.kind, config, f"{hook.kind} {hook.name} failurePolicy {policy}"))
    elif "violates PodSecurity" in words or "unable to validate against any" in words:
        faults, why, specificity = ("pod_security_violation",), "its pods violate the namespace's security level", 0.95
        space = snapshot.find("Namespace", None, owner.namespace or "")
        if space:
            levels = {k: v for k, v in mapping(space, "metadata", "labels").items() if "pod-security" in k}
            evidence.append(cite.seen(snapshot, "Namespace", space, f"Namespace {owner.namespace} labels {levels}"))
    elif by_expression := _BY_EXPRESSION.search(words):
        faults = ("pod_security_violation", "admission_webhook_fault")
        why, specificity = f"admission policy {by_expression.group(1)} denies them: {by_expression.group(2)}", 0.9
    elif denied:
        faults = ("admission_webhook_fault", "pod_security_violation")
        target = _configuration(snapshot, denied.group(1)) or owner
        why, specificity = f"webhook {denied.group(1)} denies its pods", 0.8
    elif _ACCOUNT.search(words):
        return _account(snapshot, owner, "", refusal)
    elif invalid := _INVALID.search(words):
        faults, why, specificity = ("config_value_harmful",), f"they are invalid: {invalid.group(1)}", 0.85
    elif _OVERLOAD.search(words):
        faults, why, specificity = ("api_server_overload",), "the API server does not answer in time", 0.6
    else:
        return None
    return Symptom(
        analyzer=NAME,
        entity=target,
        faults=faults,
        summary=f"{owner.kind} {owner.name}: new pods are refused, {why}.",
        specificity=specificity if refusal.stands else 0.35,
        evidence=tuple(evidence),
        onset=refusal.first,
        victims=victims,
        ongoing=refusal.stands,
    )


def _configuration(snapshot: Snapshot, webhook: str) -> Entity | None:
    for kind in _WEBHOOKS:
        for config in snapshot.all(kind):
            if any(text(w, "name") == webhook for w in maps(config, "webhooks")):
                return entity(kind, config)
    return None


def _account(snapshot: Snapshot, owner: Entity, account: str, refusal: Refusal | None = None) -> Symptom | None:
    workload = snapshot.workload(owner)
    wanted = account or (text(workload.pod_spec, "serviceAccountName") if workload else "") or "default"
    exists = snapshot.find("ServiceAccount", owner.namespace, wanted) is not None
    known = snapshot.knows("ServiceAccount", owner.namespace)
    if exists or (refusal is None and (not known or wanted == "default")):
        return None
    stands = refusal.stands if refusal else refusals.lacks_pods(snapshot, owner)
    there = [name(a) for a in snapshot.of("ServiceAccount") if namespace(a) == owner.namespace]
    told = f"no ServiceAccount {wanted}; there are: {', '.join(there[:10]) or 'none'}"
    evidence = [refusal.excerpt] if refusal else []
    return Symptom(
        analyzer=NAME,
        entity=owner,
        faults=("service_account_absent",),
        summary=f"{owner.kind} {owner.name}: its ServiceAccount {wanted} does not exist, so no new pod is created.",
        specificity=(0.96 if refusal else 0.9) if stands else 0.4,
        evidence=(*evidence, *([cite.absent(snapshot, "ServiceAccount", owner.namespace, told)] if known else [])),
        onset=refusal.first if refusal else None,
        victims=snapshot.victims_of(owner),
        ongoing=stands,
    )


def _mutated(snapshot: Snapshot, pod: Object) -> Symptom | None:
    """A live pod whose limits are smaller than its template's: a mutating webhook stands in between."""
    owner = snapshot.owner_of(pod)
    workload = snapshot.workload(owner)
    if workload is None or "vpaUpdates" in mapping(pod, "metadata", "annotations"):
        return None
    hooks = [h for h in snapshot.all("MutatingWebhookConfiguration") if _touches_pods(h)]
    for container in maps(pod, "spec", "containers"):
        meant = next((c for c in workload.containers if name_of(c) == name_of(container)), {})
        for resource in ("memory", "cpu"):
            live_limit = dig(container, "resources", "limits", resource)
            wanted = dig(meant, "resources", "limits", resource)
            small, large = quantity(live_limit), quantity(wanted)
            if small is None or large is None or small >= large or not _is_current(snapshot, pod, meant):
                continue
            words = (
                f"pod {name(pod)} container {name_of(container)} limits.{resource} {live_limit}, template says {wanted}"
            )
            target = entity("MutatingWebhookConfiguration", hooks[0]) if len(hooks) == 1 else owner
            return Symptom(
                analyzer=NAME,
                entity=target,
                faults=("admission_webhook_fault",),
                summary=f"{words}: something changes pods on their way in.",
                specificity=0.9 if hooks else 0.6,
                evidence=(
                    cite.seen(snapshot, "Pod", pod, words, verb="get"),
                    *(
                        cite.seen(snapshot, "MutatingWebhookConfiguration", h, f"webhook {name(h)} mutates pods")
                        for h in hooks
                    ),
                ),
                onset=created(hooks[0]) if len(hooks) == 1 else created(pod),
                victims=(owner,),
            )
    return None


def is_mutated(snapshot: Snapshot, pod: Object) -> bool:
    """Whether the pod came in with other limits than its template has, so that the webhooks are worth reading."""
    return _mutated(snapshot, pod) is not None


def _is_current(snapshot: Snapshot, pod: Object, meant: Object) -> bool:
    """The ReplicaSet that made the pod has the same template: an older revision is no mutation."""
    owners = maps(pod, "metadata", "ownerReferences")
    made = snapshot.find("ReplicaSet", namespace(pod), text(owners[0], "name")) if owners else None
    if made is None:
        return bool(owners) and text(owners[0], "kind") != "ReplicaSet"
    theirs = next((c for c in maps(made, "spec", "template", "spec", "containers") if name_of(c) == name_of(meant)), {})
    return bool(dig(theirs, "resources") == dig(meant, "resources"))


def _touches_pods(config: Object) -> bool:
    rules = [r for w in maps(config, "webhooks") for r in maps(w, "rules")]
    return any({"pods", "*", "*/*"} & set(strings(r, "resources")) for r in rules)
