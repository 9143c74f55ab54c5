"""A person finds the cause of one scenario by hand: the commands that were typed, what was thought, what decided.

The commands are run anew against the served scenario, by real kubectl, curl and jq. `test_exploration.py` holds that
what decided is still answered and stands in the page; the page is written by

    python -m tests.faces.exploration > tests/faces/exploration.md
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from bot.cli import _exploring
from workers.simulation import Running, start

SCENARIO = "pool-fills-by-noon"
_ENDING = """jq -r '.data.result[] | "\\(.metric | to_entries | map(.value) | join(" "))  \\(.value[1])"' """


@dataclass(frozen=True)
class Step:
    thought: str
    """Before the command."""
    command: str
    decides: tuple[str, ...] = ()
    """Patterns of the lines that led on; each must be answered, and stands in the page."""
    lines: int = 8
    """How many are shown at most."""
    cut: int = 150


STEPS = (
    Step(
        "The pager says that tracking answers 38 % of its requests with 5xx. First the obvious: is anything down?",
        "kubectl get deploy",
        (r"tracking +4/4", r"shipments +8/8"),
    ),
    Step(
        "Nothing is down, and nothing restarts. So it is up and unhappy. What does it say itself?",
        'kubectl logs deploy/tracking --since=5m 2>/dev/null | jq -r \'select(.level == "error") '
        "| [.peer, .status, .error] | @tsv' | sort | uniq -c",
        (r"shipments\s+502\s+shipments: unexpected status 500", r"subscriptions\s+502"),
    ),
    Step(
        "It only passes on what shipments and subscriptions tell it. Who else is failing, and how much?",
        "curl -s $PROM/api/v1/query --data-urlencode "
        '\'query=sum by (service) (rate(http_requests_total{code=~"5.."}[5m])) '
        "/ sum by (service) (rate(http_requests_total[5m])) > 0.01' | " + _ENDING,
        (r"tracking  0\.3\d", r"shipments  0\.3\d", r"subscriptions  0\.3\d"),
    ),
    Step(
        "Two services with the same share of failures smell of something that both use. Since when?",
        "curl -s $PROM/api/v1/query_range -d start=$((NOW - 1500)) -d end=$NOW -d step=180 --data-urlencode "
        '\'query=sum(rate(http_requests_total{service="shipments",code=~"5.."}[3m])) or vector(0)\''
        " | jq -r '.data.result[].values[] | \"\\(.[0] | todate[11:16]) \\(.[1])\"'",
        (r"11:5\d 0$", r"12:0\d [1-9]"),
        10,
    ),
    Step(
        "Since noon, within minutes. What was rolled out lately, anywhere?",
        "kubectl get rs -A --sort-by=.metadata.creationTimestamp | tail -4",
        (r"pipeline +eta-\w+ +3 +3 +3 +15m", r"reporting +subscriptions-\w+ .* 15\dm"),
    ),
    Step(
        "eta was rolled out four minutes before, and tracking does call eta. A suspect. Does it fail, or is it slow?",
        "curl -s $PROM/api/v1/query --data-urlencode 'query=sum by (service, code) "
        '(rate(http_requests_total{service="eta"}[5m]))\' | ' + _ENDING,
        (r"eta",),
    ),
    Step(
        "Every answer of eta is fine, and tracking's errors never name it. What did the release change?",
        "curl -s $GITHUB/repos/tidewater/eta/compare/$(curl -s $GITHUB/repos/tidewater/eta/tags | jq -r "
        "'.[1].name + \"...\" + .[0].name') | jq -r '.commits[].commit.message, (.files[] | .filename, .patch)'",
        (r"#\d+",),
        14,
    ),
    Step(
        "Harmless. Back to what shipments and subscriptions have in common: what do they say themselves?",
        "for it in shipments subscriptions; do "
        "kubectl logs deploy/$it --since=3m 2>/dev/null | grep FATAL | tail -1; done",
        (r"shipments-db\.data\.svc.*too many clients already", r"user=shipments_app.*SQLSTATE 53300"),
        cut=330,
    ),
    Step(
        "One database, and it takes no more connections. How full is it, and how full was it before?",
        "curl -s $PROM/api/v1/query --data-urlencode 'query=pg_settings_max_connections{service=\"shipments-db\"}' | "
        "jq -r '\"max_connections \" + .data.result[].value[1]'; "
        "curl -s $PROM/api/v1/query_range -d start=$((NOW - 12600)) -d end=$NOW -d step=1200 --data-urlencode "
        "'query=sum(pg_stat_activity_count{service=\"shipments-db\"})'"
        " | jq -r '.data.result[].values[] | \"\\(.[0] | todate[11:16]) \\(.[1])\"'",
        (r"max_connections 200", r"12:0\d (19\d|200)"),
        14,
    ),
    Step(
        "Full since noon; and twice as many connections after nine as before. Did the database itself change?",
        "kubectl -n data get sts shipments-db -o json --show-managed-fields | jq -r '.metadata.managedFields[] | "
        "[.manager, .time, (.fieldsV1 | tostring)[0:60]] | @tsv'; kubectl -n data get pod shipments-db-0",
        (r"shipments-db-0 +1/1 +Running",),
    ),
    Step(
        "No. Then its clients: who has more of them than before nine?",
        'curl -s $PROM/api/v1/query --data-urlencode \'query=kube_deployment_status_replicas{namespace="reporting"} - '
        "kube_deployment_status_replicas{namespace=\"reporting\"} offset 4h != 0' | jq -r '.data.result[] | "
        '"\\(.metric.deployment) +\\(.value[1])"\'',
        (r"shipments \+5",),
    ),
    Step(
        "Five more shipments, each with a pool of its own. Who did that?",
        "kubectl get deploy shipments -o json --show-managed-fields | jq -r '.metadata.managedFields[] | "
        '[.manager, .subresource // "-", .time, (.fieldsV1 | tostring)[0:40]] | @tsv\'; '
        "kubectl get cm shipments-config -o jsonpath='DB_POOL_SIZE {.data.DB_POOL_SIZE}'",
        (r"kubectl\s+scale\s+2026-11-29T09:02:47Z.*f:replicas", r"DB_POOL_SIZE 10"),
    ),
    Step(
        "Somebody with kubectl, at 09:02:47, by hand. Not by a release: Argo CD has synced nothing since.",
        "curl -s $ARGOCD/api/v1/applications/shipments | jq -r '.status.history[-1] | [.id, .deployedAt] | @tsv'",
        (r"2026-11-2[0-8]T",),
    ),
)

CAUSE = """**The cause.** shipments-db has no connection left (197 to 199 of 200). shipments was scaled from 3 to 8 by
hand at 09:02:47, and with each pod came a pool; when they filled at noon, shipments and subscriptions, which share the
database, could not connect for every third request, and tracking passed that on. eta's release at 11:57 is a
coincidence. What would be next: scale back to 3, or a smaller DB_POOL_SIZE.

**What was not to be seen:** why the pools filled at noon and not at nine (the traffic of shipments did not grow)."""


@contextmanager
def served() -> Iterator[tuple[Running, Mapping[str, str]]]:
    """The scenario with all its systems, and the environment of the shell that explores it."""
    running = start(SCENARIO, skills=_exploring.SKILLS)
    try:
        with TemporaryDirectory() as name:
            folder = Path(name)
            _exploring.write(running, {}, folder)
            environ = {**os.environ, "HOME": name, "NOW": f"{running.now.timestamp():.0f}", "TZ": "UTC"}
            for line in _exploring.exports(running, folder):
                environ.update(pair.split("=", 1) for pair in line.removeprefix("export ").split(" "))
            yield running, environ
    finally:
        running.close()


def answer(step: Step, environ: Mapping[str, str]) -> list[str]:
    ended = subprocess.run(
        ["bash", "-o", "pipefail", "-c", step.command], capture_output=True, text=True, env=environ, timeout=60
    )
    return [line.rstrip() for line in (ended.stdout + ended.stderr).splitlines()]


def page() -> Iterator[str]:
    with served() as (running, environ):
        yield f"# {SCENARIO}, explored by hand"
        yield ""
        yield "Written by `python -m tests.faces.exploration`: the commands are run, the thoughts are of the one who"
        yield "typed them first, with the truth out of sight. Long outputs are cut."
        yield ""
        yield "    gumshoe simulate pool-fills-by-noon --serve        and what it says to paste, in another terminal"
        yield ""
        for alert in running.alert["alerts"]:
            yield f"> {alert['labels']['alertname']}: {alert['annotations']['description']}"
        for number, step in enumerate(STEPS, 1):
            lines = answer(step, environ)
            yield from ("", f"**{number}.** {step.thought}", "", "```console", f"$ {step.command.strip()}")
            yield from _shortened(step, lines)
            yield "```"
        yield from ("", CAUSE, "", "Now the truth:", "", "```console", f"$ gumshoe simulate {SCENARIO} --truth | jq …")
        for cause in running.truth.causes:
            entity, change = cause.entity, cause.change or {}
            yield f"{cause.fault} of {entity['kind']} {entity['namespace']}/{entity['name']} since {cause.onset}"
            yield f"change: {change.get('kind')} of {', '.join(change.get('ids', ()))} at {change.get('at')}"
        innocent = "; ".join(f"{c['kind']} of {c['entity']['name']} at {c['at']}" for c in running.truth.innocent)
        yield from (f"innocent: {innocent}", "```")


def _shortened(step: Step, lines: list[str]) -> Iterator[str]:
    """The lines that decided, and as many others as there is room for, in their order."""
    deciding = {i for i, line in enumerate(lines) if any(re.search(p, line) for p in step.decides)}
    room = max(0, step.lines - len(deciding))
    kept = deciding | set([i for i in range(len(lines)) if i not in deciding][:room])
    for i in sorted(kept):
        yield lines[i] if len(lines[i]) <= step.cut else lines[i][: step.cut] + " …"
    if len(lines) > len(kept):
        yield f"… {len(lines) - len(kept)} more lines"


if __name__ == "__main__":
    sys.stdout.writelines(f"{line}\n" for line in page())
