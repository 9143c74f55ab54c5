"""Every line that was written, made minute by minute when it is asked for, from the same traffic as the series."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from itertools import pairwise
from math import exp, inf

from workers.simulation import clock, dice, templates
from workers.simulation.cluster import Pod, Run, Workload
from workers.simulation.company import External, Job, Platform, Route, Service, Store
from workers.simulation.logs import golang, python, system
from workers.simulation.logs.line import Line, Trouble
from workers.simulation.scene import Scene
from workers.simulation.traffic import Failure, Segment
from workers.simulation.world import LogNote

KEPT_SECONDS = 24 * 3600.0
CONTAINER_SECONDS = 3 * 3600.0
_ACCESS_A_MINUTE = 5.0
"""Access lines are sampled; failures are all written, up to the logger's own limit."""
_FAILURES_A_MINUTE = 24.0
_NOISE_A_MINUTE = 1.6


class LogBook:
    def __init__(self, scene: Scene) -> None:
        self._scene, self._world = scene, scene.world
        self._minutes: dict[tuple[str, str, int], list[Line]] = {}

    def between(self, start: float, end: float, workloads: Iterable[Workload] | None = None) -> Iterator[Line]:
        """Oldest first by minute and workload; a caller sorts if it must."""
        for lines, a, b in self.minutes(start, end, workloads):
            yield from (line for line in lines if a <= line.at <= b)

    def minutes(
        self, start: float, end: float, workloads: Iterable[Workload] | None = None
    ) -> Iterator[tuple[list[Line], float, float]]:
        """By minute and workload, all lines, and between which moments they are meant."""
        world = self._world
        start, end = max(start, world.now - KEPT_SECONDS), min(end, world.now)
        chosen = [
            w
            for w in (workloads if workloads is not None else world.workloads.values())
            if f"logs:{w.name}" not in world.hidden
        ]
        for minute in range(int(start // 60), int(end // 60) + 1):
            for workload in chosen:
                yield self.minute(workload, minute), start, end

    def minute(self, workload: Workload, minute: int) -> list[Line]:
        key = (workload.namespace, workload.name, minute)
        if key not in self._minutes:
            rng = dice.stream(self._world.seed, "log", *key)
            lines = [line for line in self._write(workload, minute * 60.0, rng) if self._can_write(line)]
            # Two faces may write the same minute at once; the first one's lines stay, others know them by identity.
            self._minutes.setdefault(key, sorted(lines, key=lambda line: line.at))
        return self._minutes[key]

    def of_container(self, namespace: str, pod_name: str, container: str, *, previous: bool) -> list[tuple[float, str]]:
        """Physical lines of the container's current run, or of the one before."""
        pod = next(
            (
                p
                for w in self._world.workloads.values()
                if w.namespace == namespace
                for p in w.pods
                if p.name == pod_name and p.exists(self._world.now)
            ),
            None,
        )
        if pod is None or pod.lost <= self._world.now:
            return []
        started = [
            r
            for r in pod.runs.get(container, pod.init_runs if container not in pod.runs else [])
            if r.started <= self._world.now
        ]
        index = -2 if previous and (not started or started[-1].ended > self._world.now) else -1
        if len(started) < -index:
            return []
        run = started[index]
        start = max(run.started, self._world.now - CONTAINER_SECONDS)
        out: list[tuple[float, str]] = []
        for minute in range(int(start // 60), int(min(run.ended, self._world.now) // 60) + 1):
            for line in self.minute(pod.workload, minute):
                if (
                    line.pod is pod
                    and line.container == container
                    and start <= line.at <= min(run.ended, self._world.now)
                ):
                    out += [(line.at + i * 1e-6, text) for i, text in enumerate(line.text.split("\n"))]
        return out

    def _can_write(self, line: Line) -> bool:
        """Only a running container writes."""
        at, pod = line.at, line.pod
        if at > self._world.now or at > pod.lost:
            return False
        return any(run.started <= at <= run.ended for run in pod.runs.get(line.container) or pod.init_runs)

    # One minute of one workload

    def _write(self, workload: Workload, start: float, rng: random.Random) -> Iterator[Line]:
        end = start + 60
        for pod in workload.pods:
            if pod.created < end and pod.deleted > start:
                yield from self._lives(pod, start, end)
        part = workload.part
        if isinstance(part, Service):
            yield from self._requests(part, start, rng)
        elif isinstance(part, (Store, Platform)):
            yield from self._background(workload, start, rng)
        elif isinstance(part, Job):
            yield from self._job(workload, start, rng)
        yield from self._notes(workload, start, rng)

    def _lives(self, pod: Pod, start: float, end: float) -> Iterator[Line]:
        part = pod.workload.part
        if not isinstance(part, Service):
            return
        manner = python if part.language == "python" else golang
        version = pod.revision.template["spec"]["containers"][0]["image"].rpartition(":")[2]
        for run in pod.runs.get(pod.main, ()):
            if start - 10 < run.started < end:
                for at, level, text in manner.started(run.started, part.name, version, part.port):
                    if start <= at < end:
                        yield Line(at, pod, pod.main, level, text)
            if start < run.ended < end + 10 and (run.reason == "Completed" or run.exit_code == 143):
                for at, level, text in manner.stopped(run.ended, part.name):
                    if start <= at < end:
                        yield Line(at, pod, pod.main, level, text)
        for container, runs in pod.runs.items():
            for run in runs:
                spoke = run.message and not run.message.startswith("liveness:") and run.reason != "StartError"
                if spoke and start <= run.ended - 0.05 < end:
                    yield Line(run.ended - 0.05, pod, container, "error", run.message, "stderr")

    def _requests(self, part: Service, start: float, rng: random.Random) -> Iterator[Line]:
        """The minute in pieces between which nothing changed, so that no failure is written before its time."""
        traffic = self._scene.traffic
        first, last = traffic.index(start), traffic.index(start + 60)
        cuts = [start, *(traffic.starts[i] for i in range(first + 1, last + 1)), start + 60]
        for a, b in pairwise(cuts):
            if b > a:
                yield from self._piece(part, traffic.at((a + b) / 2), a, b, rng)

    def _piece(self, part: Service, segment: Segment, a: float, b: float, rng: random.Random) -> Iterator[Line]:
        pods, share = segment.pods.get(part.name, []), (b - a) / 60
        if not pods:  # nobody asks them; they go on with what they do by themselves
            idle = segment.ready.get(part.name, [])
            for _ in range(_poisson(rng, _NOISE_A_MINUTE * share) if idle else 0):
                yield self._noise(part, rng.choice(idle), a + rng.random() * (b - a), rng)
            return
        rate = segment.rates.get(part.name, 0.0) * self._world.shape.at(a)
        for route in part.work:
            asked = rate * 60 * route.share
            if not part.worker:
                for _ in range(_poisson(rng, min(asked, _ACCESS_A_MINUTE * max(route.share, 0.2)) * share)):
                    yield self._access(part, route, rng.choice(pods), segment, a + rng.random() * (b - a), rng)
            for pod in pods:
                for failure in segment.mix(part.name, route.path, pod).failures:
                    for _ in range(
                        _poisson(rng, min(asked * failure.share / len(pods), _FAILURES_A_MINUTE / len(pods)) * share)
                    ):
                        yield self._failure(part, route, pod, failure, a + rng.random() * (b - a), rng)
        for _ in range(_poisson(rng, _NOISE_A_MINUTE * share)):
            yield self._noise(part, rng.choice(pods), a + rng.random() * (b - a), rng)
        yield from self._degraded(part, segment, pods, a, b, rng)

    def _noise(self, part: Service, pod: Pod, at: float, rng: random.Random) -> Line:
        if part.language == "python":
            level, logger, text = rng.choice(python.NOISE)
            filled = text.format(n=rng.randint(2, 9000), ms=rng.randint(11, 420), id=f"{rng.getrandbits(32):08x}")
            return Line(at, pod, pod.main, level, python.plain(at, level, logger.format(service=part.name), filled))
        level, caller, text = rng.choice(golang.NOISE)
        return Line(
            at,
            pod,
            pod.main,
            level,
            golang.zap(at, level, caller, text, n=rng.randint(1, 900), id=f"{rng.getrandbits(48):012x}"),
        )

    def _access(self, part: Service, route: Route, pod: Pod, segment: Segment, at: float, rng: random.Random) -> Line:
        mix = segment.mix(part.name, route.path, pod)
        draw, code, seconds = rng.random(), 200, 0.0
        for failure in mix.failures:
            if draw < failure.share:
                code, seconds = failure.code, failure.seconds
                break
            draw -= failure.share
        ms = (seconds * 1000 or part.median_ms * mix.slow + mix.extra_seconds * 1000) * exp(rng.gauss(0, 0.4))
        path = route.path.replace("{id}", f"{rng.getrandbits(40):010x}")
        client = pod.ip.rsplit(".", 2)[0] + f".{rng.randint(33, 70)}.{rng.randint(4, 250)}"
        manner = python if part.language == "python" else golang
        return Line(at, pod, pod.main, "info", manner.access(at, rng, client, route.method, path, code, ms))

    def _failure(self, part: Service, route: Route, pod: Pod, failure: Failure, at: float, rng: random.Random) -> Line:
        trouble = self._trouble(part, pod, failure, rng)
        path = route.path.replace("{id}", f"{rng.getrandbits(40):010x}")
        manner = python if part.language == "python" else golang
        level, text = manner.failure(at, part.name, route.method, path, trouble)
        return Line(at, pod, pod.main, level, text, "stderr")

    def _trouble(self, part: Service, pod: Pod, failure: Failure, rng: random.Random) -> Trouble:
        detail = dict(failure.detail)
        if failure.peer not in self._world.company.parts:
            return Trouble(failure.kind, failure.peer, "", "", "", "", failure.seconds, failure.code, detail)
        host, port = templates.address(failure.peer, self._world.company, part.namespace)
        host, _, override = detail.get("host", host).partition(":")
        target = self._world.company.parts[failure.peer]
        address = detail.get("address", "")
        if not address:
            try:
                address = f"{self._world.service(failure.peer).cluster_ip}:{override or port}"
            except KeyError:
                address = f"52.29.{dice.number(host) % 250}.{dice.number(host, 2) % 250}:{port}"
        engine = target.engine if isinstance(target, Store) else ""
        scheme = "https" if isinstance(target, External) or failure.kind == "tls" else "http"
        path = (
            target.routes[0].path.replace("{id}", f"{rng.getrandbits(32):08x}")
            if isinstance(target, Service) and target.routes
            else target.path
            if isinstance(target, External)
            else ""
        )
        url = f"{scheme}://{host}{'' if isinstance(target, External) else f':{override or port}'}{path}"
        user, database = (target.user, target.database) if isinstance(target, Store) else ("", "")
        return Trouble(
            failure.kind,
            failure.peer,
            f"{host}:{override or port}",
            address,
            engine,
            url,
            failure.seconds,
            failure.code,
            detail,
            user,
            database,
            pod.ip,
            f"{self._world.company.services_network}.0.10:53",
        )

    def _degraded(
        self, part: Service, segment: Segment, pods: list[Pod], a: float, b: float, rng: random.Random
    ) -> Iterator[Line]:
        """Failures of optional dependencies cost no request, but a warning."""
        for callee in part.dependencies:
            target = self._world.company.parts[callee]
            if isinstance(target, Service) and target.optional:
                lost = sum(f.share for f in segment.edges.get((part.name, callee), ()))
                for _ in range(_poisson(rng, lost * 6 * (b - a) / 60)):
                    at, pod = a + rng.random() * (b - a), rng.choice(pods)
                    text = f"{callee} unavailable, answering without it"
                    written = (
                        python.plain(at, "warning", f"{part.name}.fallback", text)
                        if part.language == "python"
                        else golang.zap(at, "warning", "fallback/fallback.go:31", text)
                    )
                    yield Line(at, pod, pod.main, "warning", written)

    def _background(self, workload: Workload, start: float, rng: random.Random) -> Iterator[Line]:
        part = workload.part
        running = [p for p in workload.pods if p.run_at(start + 30)]
        for _ in range(_poisson(rng, 0.55 if isinstance(part, Store) else 0.3)):
            if not running:
                return
            pod, at = rng.choice(running), start + rng.random() * 60
            engine = part.engine if isinstance(part, Store) else ""
            if engine == "postgres":
                level, text = system.postgres(at, rng, part.database, part.user)
            elif engine == "rabbitmq":
                level, text = system.rabbitmq(at, rng, self._world.company, pod.ip)
            elif engine == "kafka":
                level, text = system.kafka(at, rng, self._world.company)
            elif engine in ("redis", "minio"):
                level, text = getattr(system, engine)(at, rng)
            else:
                level, text = system.klog(at, rng, workload.name, self._world.company)
            yield Line(at, pod, pod.main, level, text)

    def _job(self, workload: Workload, start: float, rng: random.Random) -> Iterator[Line]:
        for pod in workload.pods:
            for run in pod.runs.get(pod.main, ()):
                for at, level, text in self._job_lines(workload.part, run, rng):
                    if start <= at < start + 60:
                        yield Line(
                            at,
                            pod,
                            pod.main,
                            level,
                            python.plain(at, level, f"{workload.part.image}.jobs", text)
                            if not text.startswith("Traceback")
                            else text,
                        )

    def _job_lines(self, part: Job, run: Run, rng: random.Random) -> Iterator[tuple[float, str, str]]:
        yield run.started + 0.6, "info", f"{part.name} started"
        if run.exit_code == 0:
            yield run.started + 30, "info", f"processed {rng.randint(300, 9000)} rows"
            if run.ended < inf:
                yield run.ended - 0.5, "info", f"{part.name} finished in {run.ended - run.started:.1f}s"
        elif run.message:
            yield run.ended - 0.2, "error", run.message

    def _notes(self, workload: Workload, start: float, rng: random.Random) -> Iterator[Line]:
        for note in self._world.log_notes:
            if note.workload != workload.name or not (note.start < start + 60 and note.end > start):
                continue
            a, b = max(start, note.start), min(start + 60, note.end)
            pods = [p for p in workload.pods if _writes(p, note, (a + b) / 2)]
            if not pods:
                continue
            for _ in range(_poisson(rng, note.per_minute * (b - a) / 60)):
                at, pod = a + rng.random() * (b - a), rng.choice(pods)
                text = rng.choice(note.texts).format(
                    n=rng.randint(2, 900),
                    ms=rng.randint(900, 4200),
                    id=f"{rng.getrandbits(40):010x}",
                    user=f"u{rng.randint(1000, 99999)}",
                    pod=pod.name,
                    client=f"{rng.randint(77, 93)}.{rng.randint(11, 240)}.{rng.randint(3, 250)}.{rng.randint(4, 250)}",
                    when=clock.nginx(at),
                )
                if not note.container:
                    text = self._in_manner(workload, at, note.level, note.logger, text, rng)
                yield Line(at, pod, note.container or pod.main, note.level, text, "stderr")

    def _in_manner(self, workload: Workload, at: float, level: str, logger: str, text: str, rng: random.Random) -> str:
        part = workload.part
        if logger == "raw":
            return text
        if logger == "klog":
            return system.klog_note(at, level, text)
        if isinstance(part, (Service, Job)):
            if part.language == "python":
                return python.plain(at, level, logger or f"{part.name}.service", text)
            return golang.zap(at, level, logger or "service/service.go:74", text)
        if isinstance(part, Store) and part.engine == "postgres":
            return system.pg_note(
                at, rng, {"error": "ERROR", "fatal": "FATAL", "warning": "WARNING"}.get(level, "LOG"), text
            )
        return text


def _writes(pod: Pod, note: LogNote, at: float) -> bool:
    """Whether a pod is one that a note is about, and runs."""
    if note.revision not in (0, pod.revision.number) or note.pod not in ("", pod.name):
        return False
    if note.container:
        return any(r.started <= at < r.ended for r in pod.runs.get(note.container, pod.init_runs))
    return pod.run_at(at) is not None


def _poisson(rng: random.Random, mean: float) -> int:
    """Knuth's method; the means here are small."""
    if mean <= 0:
        return 0
    limit, product, count = exp(-min(mean, 60.0)), rng.random(), 0
    while product > limit:
        count += 1
        product *= rng.random()
    return count
