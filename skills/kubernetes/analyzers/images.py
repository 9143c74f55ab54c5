"""Images that cannot be had: not there (D1), refused (D2), registry out of reach (D3), wrong architecture (D4).

Waiting reasons: kubelet images.ErrImagePull, ErrImagePullBackOff, ErrInvalidImageName, ErrImageNeverPull,
ErrRegistryUnavailable. The words behind them are the runtime's: containerd (core/remotes/docker resolver and
authorizer), cri-o (containers/image docker client), dockershim/cri-dockerd (distribution's errors).
"""

from __future__ import annotations

import re
from collections import defaultdict
from datetime import datetime

from skills.contract import Entity, Excerpt, Focus, Symptom, Window
from skills.kubernetes import cite, rollouts
from skills.kubernetes.differences import Difference
from skills.kubernetes.objects import Object, created, is_terminating, mapping, maps, name, text
from skills.kubernetes.pods import container_spec, container_statuses, init_statuses, is_finished, name_of, waiting
from skills.kubernetes.snapshot import Snapshot

NAME = "kubernetes.images"
_REASONS = ("ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "RegistryUnavailable",
            "ImageInspectError", "SignatureValidationFailed")  # fmt: skip

_WORDS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (fault, re.compile(words, re.IGNORECASE))
    for fault, words in (
        # The kubelet's own rate limit: it will be pulled a few seconds later.
        ("passing", r"pull QPS exceeded|context canceled"),
        ("node_disk_pressure", r"no space left on device|disk quota exceeded"),
        # Architecture first: containerd ends that message with "not found" as well.
        ("image_wrong_architecture", r"no match for platform|no matching manifest for|no image found in (image "
                                     r"index|manifest list) for arch|exec format error"),
        ("registry_certificate", r"x509:|certificate (has expired|signed by unknown)|server gave HTTP response "
                                 r"to HTTPS"),
        ("registry_unreachable", r"no such host|dial tcp|i/o timeout|connection refused|TLS handshake timeout|"
                                 r"network is unreachable|context deadline exceeded|server misbehaving|"
                                 r"toomanyrequests|too many requests|\b50[0234] |RegistryUnavailable|"
                                 r"connection reset|\bEOF\b|no route to host|proxyconnect"),
        # The same words for a private repository and for none at all.
        ("pull_access_denied", r"pull access denied|insufficient_scope|may require authorization|repository does "
                               r"not exist|requested access to the resource is denied"),
        ("registry_credentials_missing", r"unauthorized|authentication required|no basic auth credentials|"
                                         r"\b401 unauthorized|\b403 forbidden|status(?: code)?:? 40[13]\b|failed to "
                                         r"authorize|access forbidden|invalid username/password|authorization token "
                                         r"has expired|permission .* denied"),
        ("image_not_found", r"not found|manifest unknown|NotFound|invalid reference format|couldn't parse image|"
                            r"InvalidImageName|pull policy of Never|name unknown|does not exist|"
                            r"did not resolve to an alias|must be lowercase"),
    )
)  # fmt: skip


def analyze(snapshot: Snapshot, focus: Focus, window: Window, now: datetime) -> list[Symptom]:
    stuck: dict[tuple[Entity, str], list[tuple[Object, Object]]] = defaultdict(list)
    for pod in snapshot.pods:
        if is_finished(pod) or is_terminating(pod):
            continue
        for status in [*container_statuses(pod), *init_statuses(pod)]:
            if waiting(status)[0] in _REASONS:
                stuck[(snapshot.owner_of(pod), text(status, "image") or name_of(status))].append((pod, status))
    found = [s for (owner, _), pods in stuck.items() if (s := _symptom(snapshot, owner, pods))]
    return found + _shared(snapshot, found)


def _symptom(snapshot: Snapshot, owner: Entity, stuck: list[tuple[Object, Object]]) -> Symptom | None:
    pod, status = stuck[0]
    container = name_of(status)
    image = text(container_spec(pod, container), "image") or text(status, "image")
    words, evidence = _told(snapshot, pod, status, image)
    kind = _classify(words, image)
    if kind == "passing":
        return None
    if kind == "node_disk_pressure":
        return _of_node(snapshot, owner, pod, image, evidence)
    faults, specificity, why = _verdict(snapshot, pod, image, kind)
    if kind is None and _runs_elsewhere(snapshot, pod, image):
        faults, why = ("registry_unreachable", "registry_credentials_missing"), "other pods run the same image"
    rollout = rollouts.latest(snapshot, owner)
    changed = rollouts.find(rollout, "image", container) if rollouts.made(rollout, pod) else None
    if rollout and changed and image == changed.before:
        why += f"; revision {rollout.after.number} went back to {changed.after}, but this pod is not replaced"
        changed = None
    if rollout and changed:
        why += f"; the image went {changed.before} -> {changed.after} in revision {rollout.after.number}"
        change = rollouts.as_change(snapshot, rollout)
        evidence += list(change.evidence) if change else []
    return Symptom(
        analyzer=NAME,
        entity=owner,
        faults=faults,
        summary=f"{owner.kind} {owner.name}: {len(stuck)} pod(s) cannot pull {image}: {why}.",
        specificity=specificity,
        evidence=tuple(evidence),
        onset=rollout.after.at if rollout and changed else created(pod),
        victims=snapshot.victims_of(owner),
        change=rollout.id if rollout and changed and not _is_lost_right(faults[0], changed) else None,
    )


def _is_lost_right(fault: str, changed: Difference) -> bool:
    """A new tag of the same registry takes no credentials away: the pull only met what was lost before."""
    same = changed.before.partition("/")[0] == changed.after.partition("/")[0]
    return fault == "registry_credentials_missing" and same


def _of_node(snapshot: Snapshot, owner: Entity, pod: Object, image: str, evidence: list[Excerpt]) -> Symptom:
    node = text(pod, "spec", "nodeName")
    return Symptom(
        analyzer=NAME,
        entity=Entity(kind="Node", name=node),
        faults=("node_disk_pressure",),
        summary=f"Node {node} has no space for the image {image} of {owner.kind} {owner.name}.",
        specificity=0.9,
        evidence=tuple(evidence),
        onset=created(pod),
        victims=(owner, *snapshot.victims_of(owner)),
    )


def _runs_elsewhere(snapshot: Snapshot, pod: Object, image: str) -> bool:
    return any(
        other is not pod and text(status, "image") == image and text(status, "imageID")
        for other in snapshot.pods
        for status in container_statuses(other)
        if mapping(status, "state", "running")
    )


def _told(snapshot: Snapshot, pod: Object, status: Object, image: str) -> tuple[str, list[Excerpt]]:
    """All that was said about the pull, and the excerpts that say it: back-off messages hide the reason."""
    reason, message = waiting(status)
    events = [
        e for e in snapshot.events_of("Pod", pod, "Failed", "InspectFailed", "ErrImageNeverPull") if image in e.message
    ]
    unretrieved = snapshot.events_of("Pod", pod, "FailedToRetrieveImagePullSecret")
    excerpts = [
        cite.seen(snapshot, "Pod", pod, f"pod {name(pod)} container {name_of(status)} waiting {reason}: {message}")
    ]
    telling = [e for e in events if _classify(e.message, image) is not None]
    excerpts += [cite.told(snapshot, e) for e in (telling or events)[-1:] + unretrieved[-1:]]
    return " | ".join([reason, message, *(e.message for e in telling)]), excerpts


def _classify(words: str, image: str = "") -> str | None:
    quoted = re.sub(r'"[^"]*"', '""', words)  # an image named "not-found" or "app-401" says nothing
    quoted = quoted.replace(image, "") if image else quoted
    quoted = re.sub(r"@?sha256:[0-9a-f]+", "", quoted)
    return next((fault for fault, pattern in _WORDS if pattern.search(quoted)), None)


def _verdict(snapshot: Snapshot, pod: Object, image: str, kind: str | None) -> tuple[tuple[str, ...], float, str]:
    secrets = [text(s, "name") for s in maps(pod, "spec", "imagePullSecrets")]
    missing = [
        s
        for s in secrets
        if snapshot.knows("Secret", text(pod, "metadata", "namespace"))
        and not snapshot.find("Secret", text(pod, "metadata", "namespace"), s)
    ]
    if kind == "pull_access_denied":
        # The same words for a private repository and for none at all; what else the cluster pulls tells them apart.
        if missing:
            return ("registry_credentials_missing", "image_not_found"), 0.93, f"pull secret {missing[0]} does not exist"
        if secrets or _registry(image) != "docker.io":
            return ("registry_credentials_missing", "image_not_found"), 0.75, "access denied"
        return ("image_not_found", "registry_credentials_missing"), 0.85, "the repository does not exist or is private"
    match kind:
        case "image_wrong_architecture":
            return ("image_wrong_architecture", "image_not_found"), 0.95, "no image for the node's architecture"
        case "registry_certificate":
            faults = ("registry_unreachable", "tls_certificate_invalid")
            return faults, 0.9, "the registry's certificate is not accepted"
        case "registry_unreachable":
            return ("registry_unreachable", "external_dependency_failing"), 0.88, "the registry does not answer"
        case "registry_credentials_missing":
            return ("registry_credentials_missing", "image_not_found"), 0.92, "the registry wants credentials"
        case "image_not_found":
            return ("image_not_found",), 0.95, "there is no such image"
    if missing:
        return ("registry_credentials_missing", "image_not_found"), 0.8, f"pull secret {missing[0]} does not exist"
    return ("image_not_found", "registry_credentials_missing", "registry_unreachable"), 0.7, "the reason is not told"


def _registry(image: str) -> str:
    head, slash, _ = image.partition("/")
    return head if slash and ("." in head or ":" in head or head == "localhost") else "docker.io"


def _shared(snapshot: Snapshot, found: list[Symptom]) -> list[Symptom]:
    """Several workloads that cannot reach the same registry: the registry or the way to it, not the workloads."""
    by_registry: dict[str, list[Symptom]] = defaultdict(list)
    for symptom in found:
        if symptom.faults[0] == "registry_unreachable":
            image = re.search(r"cannot pull (\S+?):? ", symptom.summary)
            by_registry[_registry(image.group(1) if image else "")].append(symptom)
    return [
        Symptom(
            analyzer=NAME,
            entity=Entity(kind="external", name=registry),
            faults=("registry_unreachable",),
            summary=f"{len(these)} workloads cannot reach the registry {registry}: "
            f"{', '.join(s.entity.name for s in these)}.",
            specificity=0.93,
            evidence=tuple(e for s in these for e in s.evidence[-1:])[:4],
            onset=min((s.onset for s in these if s.onset), default=None),
            victims=tuple(s.entity for s in these),
        )
        for registry, these in by_registry.items()
        if len(these) > 1
    ]
