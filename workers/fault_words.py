"""What people call a fault, and which of the closed vocabulary they mean. `skills/faults.yaml` has the vocabulary."""

from __future__ import annotations

import re

from skills.faults import UnknownFault, fault

# What people call a fault -> its name in the closed vocabulary; the first that matches counts.
_FAULT_WORDS: tuple[tuple[str, str], ...] = (
    (r"leak(?:s|ing|ed)?", "memory_leak"),
    (r"oom(?:[- ]?kill(?:ed|s)?)?s?|out of memory|memory limit", "memory_limit_too_low"),
    (r"memory quota", "memory_quota_exhausted"),
    (r"pod quota|pod count", "pod_count_quota_exhausted"),
    (r"cpu quota|quota", "cpu_quota_exhausted"),
    (r"image ?pull(?: ?back ?off)?|err ?image ?pull|image not found", "image_not_found"),
    (r"registry credentials|pull secret", "registry_credentials_missing"),
    (r"throttl(?:ed|es|ing)", "cpu_throttled_by_limit"),
    (r"liveness(?: probes?)?|probe (?:fails|failures?|timeouts?)", "liveness_probe_too_aggressive"),
    (r"readiness(?: probes?)?", "readiness_probe_misconfigured"),
    (r"dns", "dns_resolution_failing"),
    (r"certificates?|tls|cert expir\w+", "tls_certificate_invalid"),
    (r"disk pressure", "node_disk_pressure"),
    (r"volume full|disk full|no space left", "volume_full"),
    (r"slow quer(?:y|ies)|locks?|deadlocks?", "slow_query_or_lock"),
    (r"connection pool|too many connections|pool exhaust\w+", "connection_pool_exhausted"),
    (r"replica(?:tion)? lag|read[- ]only", "datastore_read_only_or_lagging"),
    (r"backlog|consumer lag|queue grows", "queue_backlog"),
    (r"rate[- ]?limit(?:s|ed|ing)?|third party", "external_dependency_failing"),
    (r"traffic (?:peaks?|spikes?|surges?)|load (?:peaks?|spikes?)|surge", "traffic_surge"),
    (r"retry storm", "retry_storm"),
    (r"gc pauses?|garbage collection", "garbage_collection_stalls"),
    (r"cpu (?:peaks?|spikes?)|high cpu|hot loop", "cpu_hot_loop"),
    (r"evict(?:ed|ions?)|preempt\w*", "preempted_by_priority"),
    (r"packet loss", "packet_loss"),
    (r"node reboots?|spot (?:reclaim\w*|interruptions?)|reboots?", "node_rebooted"),
    (r"cron ?job fails|batch fails|job fails", "scheduled_job_failing"),
    (r"scaled? to zero", "scaled_to_zero"),
    (r"crash ?loop(?:s|ing|back ?off)?|crashes", "boot_dependency_missing"),
)  # fmt: skip


def fault_of(words: str) -> str | None:
    """The fault of the vocabulary that these words name: by its own name, its id, or what people call it."""
    for word in re.findall(r"[A-Za-z]\w+", words):
        if "_" in word and (known := known_fault(word.lower())):
            return known
    # CamelCase reasons of Kubernetes: OOMKilled, ImagePullBackOff, CrashLoopBackOff.
    plain = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", words)
    for pattern, name in _FAULT_WORDS:
        if re.search(rf"\b(?:{pattern})\b", plain, re.I) or re.search(rf"\b(?:{pattern})\b", words, re.I):
            return known_fault(name)
    return None


def known_fault(name: str) -> str | None:
    """The name of the fault with this id or name, if it can be a cause; verdicts (group L) cannot."""
    try:
        known = fault(name)
    except UnknownFault:
        return None
    return known.name if known.is_cause else None
