"""How revisions come into the world: pull request, commit, release, deployment and sync of each, and merges that carry
nothing into production. Everything follows from the revisions and edits that the world records.

What somebody did by hand (kubectl) leaves none of this, as in life.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from workers.simulation import dice
from workers.simulation.cluster import Json, Revision, Workload
from workers.simulation.company import Service
from workers.simulation.world import DAY, World

GITOPS = "argocd-controller"
HISTORY_DAYS = 60
SYNCS_KEPT = 10
"""revisionHistoryLimit of an Application."""


@dataclass(frozen=True)
class File:
    path: str
    patch: str
    """A unified diff's hunks."""

    @property
    def added(self) -> int:
        return sum(line.startswith("+") for line in self.patch.splitlines())

    @property
    def removed(self) -> int:
        return sum(line.startswith("-") for line in self.patch.splitlines())


@dataclass(frozen=True)
class Merge:
    """A pull request that was merged."""

    repository: str
    number: int
    title: str
    author: str
    merged_by: str
    merged_at: float
    opened_at: float
    sha: str
    files: tuple[File, ...]


@dataclass(frozen=True)
class Delivery:
    """A revision of a service and how it came to run."""

    service: str
    namespace: str
    revision: int
    merge: Merge
    tag: str
    deployment_id: int
    deployed_at: float
    """When the deployment was created; the rollout begins a minute later."""
    rolled_at: float
    failed: bool


@dataclass(frozen=True)
class Sync:
    """An Argo CD application took a revision of the repository of manifests."""

    application: str
    id: int
    sha: str
    started_at: float
    ended_at: float
    message: str
    author: str


@dataclass(frozen=True)
class Person:
    login: str
    name: str


_FIRST = ("Mara", "Jonas", "Priya", "Tomasz", "Elif", "Noor", "Henrik", "Lucia", "Davide", "Aoife", "Sven", "Ines",
          "Kenji", "Ruta", "Marcus", "Hanna", "Oleg", "Camille", "Rahul", "Yara")  # fmt: skip
_LAST = ("Lindqvist", "Vogel", "Raman", "Zielinski", "Aydin", "Haddad", "Berg", "Moretti", "Conti", "Byrne", "Keller",
         "Duarte", "Sato", "Kalnina", "Okafor", "Weiss", "Petrov", "Laurent", "Mehta", "Nasser")  # fmt: skip


class Deliveries:
    """Of one settled world."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.owner = world.company.domain.partition(".")[0]
        self.config_repository = f"{self.owner}/deploy"

    @cached_property
    def services(self) -> tuple[Service, ...]:
        return self.world.company.services

    def repository(self, service: str) -> str:
        return f"{self.owner}/{service}"

    def team(self, service: Service) -> tuple[Person, ...]:
        """Three people; the same ones for every service of a team."""
        return tuple(self.person(service.team, i) for i in range(3))

    def person(self, *key: object) -> Person:
        n = dice.number(self.world.company.name, "person", *key)
        first, last = _FIRST[n % len(_FIRST)], _LAST[n // 31 % len(_LAST)]
        return Person(f"{first}{last}".lower() if n % 3 else f"{first[0]}{last}".lower(), f"{first} {last}")

    @cached_property
    def all(self) -> tuple[Delivery, ...]:
        """Oldest first."""
        found = [d for s in self.services for d in self._of(s)]
        return tuple(sorted(found, key=lambda d: (d.rolled_at, d.service)))

    def _of(self, service: Service) -> Iterator[Delivery]:
        workload = self.world.workload(service.name)
        for before, revision in zip([None, *workload.revisions], workload.revisions, strict=False):
            if revision.created < self.world.now - HISTORY_DAYS * DAY or _manager(workload, revision) != GITOPS:
                continue
            yield self._delivery(service, workload, before, revision)

    def _delivery(self, service: Service, workload: Workload, before: Revision | None, revision: Revision) -> Delivery:
        world, key = self.world, (self.world.seed, service.name, revision.number)
        deployed = revision.created - dice.between(35, 95, "deployed", *key)
        merged = deployed - dice.between(260, 1150, "merged", *key)
        image = str(revision.template["spec"]["containers"][0]["image"])
        team = self.team(service)
        author = team[dice.number("author", *key) % 3]
        other = team[(dice.number("author", *key) + 1) % 3]
        files = self._files(service, workload, before, revision)
        failed = workload.deadline_exceeded < world.now and revision is workload.revision
        merge = Merge(
            self.repository(service.name),
            180 + revision.number * 7 + dice.number("number", *key) % 5,
            self._title(service, files, key),
            author.login,
            other.login,
            merged,
            merged - dice.between(4000, 150000, "opened", *key),
            dice.hexadecimal(40, "commit", *key),
            files,
        )
        number = 1_800_000_000 + dice.number("deployment", *key) % 190_000_000
        tag = f"v{image.rpartition(':')[2].removeprefix('v')}"
        return Delivery(
            service.name, workload.namespace, revision.number, merge, tag, number, deployed, revision.created, failed
        )

    def _files(
        self, service: Service, workload: Workload, before: Revision | None, revision: Revision
    ) -> tuple[File, ...]:
        """What the revision itself shows, and code: where an error of this revision points, else somewhere."""
        found = []
        if before is not None and (patch := _values_patch(before.template, revision.template)):
            found.append(File("deploy/values.yaml", patch))
        pointed = [
            _code_patch(frame)
            for effect in self.world.own
            if effect.service == service.name and effect.revision == revision.number and effect.detail.get("frames")
            for frame in [[f for f in effect.detail["frames"].split(";;") if f][-1].split("|")]
        ]
        found += [f for f in pointed if f is not None]
        n = dice.number(self.world.seed, "files", service.name, revision.number)
        package = service.name.replace("-", "_")
        pool = _PYTHON if service.language == "python" else _GO
        path, patch = pool[n % len(pool)]
        if path not in {f.path.partition("/")[2] for f in found}:
            found.append(File(f"{package}/{path}", patch))
        if n % 3 == 0:
            found.append(
                File("CHANGELOG.md", "@@ -1,4 +1,6 @@\n # Changelog\n \n+## next\n+- see the pull request\n ## before")
            )
        return tuple(found)

    def _title(self, service: Service, files: tuple[File, ...], key: tuple[object, ...]) -> str:
        """In the words of whoever opened it: about what it does, never about what came of it."""
        values = next((f.patch for f in files if f.path == "deploy/values.yaml"), "")
        for mark, titles in _TITLES_OF_VALUES:
            if mark in values:
                return titles[dice.number("title", *key) % len(titles)].format(service=service.name)
        own = [f.path.partition("/")[2] for f in files]
        fits: tuple[str, ...] = next((_TITLES_OF_FILES[path] for path in own if path in _TITLES_OF_FILES), _TITLES)
        return fits[dice.number("title", *key) % len(fits)]

    @cached_property
    def idle(self) -> tuple[Merge, ...]:
        """Merged in the last days, and only documents and tests: no rollout carried them."""
        found = []
        for service in self.services:
            key = (self.world.seed, service.name, "idle")
            if dice.unit(*key) > 0.55:
                continue
            at = self.world.now - dice.between(0.4, 60, "at", *key) * 3600
            team = self.team(service)
            path = "README.md" if dice.number("what", *key) % 2 else f"tests/test_{service.name.replace('-', '_')}.py"
            title = "Say how to run it locally" if path == "README.md" else "Cover the empty list in tests"
            revision = self.world.workload(service.name).revision.number
            found.append(
                Merge(
                    self.repository(service.name),
                    187 + revision * 7 + dice.number("n", *key) % 2,
                    title,
                    team[2].login,
                    team[0].login,
                    at,
                    at - dice.between(3000, 90000, "open", *key),
                    dice.hexadecimal(40, "commit", *key),
                    (File(path, "@@ -20,3 +20,4 @@\n \n+make up && make test\n "),),
                )
            )
        return tuple(found)

    @cached_property
    def syncs(self) -> tuple[Sync, ...]:
        """Oldest first: for each rollout that GitOps made, and for each edit of an object that it made."""
        moments = [(d.service, d.rolled_at, f"{d.service}: {d.tag}", d.merge.author) for d in self.all]
        moments += list(self._edits())
        found: list[Sync] = []
        counts: dict[str, int] = {}
        for app, at, message, author in sorted(moments, key=lambda m: (m[1], m[0])):
            first = 20 + dice.number(self.world.company.name, app, "syncs") % 90
            counts[app] = counts.get(app, first) + 1
            took = dice.between(2.1, 7.4, self.world.seed, "sync", app, at)
            sha = dice.hexadecimal(40, self.world.seed, "config", app, round(at, 3))
            found.append(
                Sync(app, counts[app], sha, at - dice.between(0.6, 1.9, "lead", app, at), at + took, message, author)
            )
        return tuple(found)

    def _edits(self) -> Iterator[tuple[str, float, str, str]]:
        names = sorted((s.name for s in self.services), key=len, reverse=True)
        for kind, objects in self.world.objects.items():
            for (_, name), body in objects.items():
                created = body["metadata"].get("creationTimestamp")
                for entry in body["metadata"].get("managedFields", ()):
                    at = entry.get("time")
                    if (
                        entry.get("manager") != GITOPS
                        or not isinstance(at, float)
                        or at == created
                        or at > self.world.now
                    ):
                        continue
                    app = next((n for n in names if name == n or name.startswith(f"{n}-")), None)
                    if app is not None:
                        author = self.team(self.world.company.service(app))[0].login
                        yield app, at, f"{app}: {kind} {name}", author


def _manager(workload: Workload, revision: Revision) -> str:
    """Who wrote the revision; the ones from before the record are the usual manager's."""
    return next((m for at, m, _ in workload.edits if at == revision.created), workload.manager)


def _values_patch(before: Json, after: Json) -> str:
    """The lines of a values file that would have rendered this difference."""
    old, new = (_flat(t["spec"]) for t in (before, after))
    lines = []
    for path in sorted({*old, *new}):
        if old.get(path) == new.get(path) or path.endswith((".image",)):
            continue
        lines += [f"-{path}: {old[path]}"] if path in old else []
        lines += [f"+{path}: {new[path]}"] if path in new else []
    return "@@ -11,6 +11,6 @@\n" + "\n".join(lines) if lines else ""


def _flat(node: object, path: str = "") -> dict[str, str]:
    if isinstance(node, dict):
        return {k: v for key, value in node.items() for k, v in _flat(value, f"{path}.{key}" if path else key).items()}
    if isinstance(node, list):
        out: dict[str, str] = {}
        for i, value in enumerate(node):
            name = value.get("name", i) if isinstance(value, dict) else i
            out.update(_flat(value, f"{path}[{name}]"))
        return out
    return {path: str(node)}


def _code_patch(frame: list[str]) -> File | None:
    """`cart/totals.py|52|_total|if promotion.currency != items.currency:` as the hunk that brought that line."""
    if len(frame) < 2 or not frame[1].isdigit():
        return None
    path, line, function = frame[0], int(frame[1]), frame[2] if len(frame) > 2 else ""
    code = frame[3] if len(frame) > 3 and frame[3] else f"// {function}"
    return File(path, f"@@ -{line - 2},4 +{line - 2},5 @@ {function}\n     \n+    {code}\n     ")


_TITLES = (
    "Bump dependencies", "Read timeouts from the environment", "Log request ids of upstream calls",
    "Tidy up handlers before the next feature", "Add tracing attributes", "Follow the renamed client package",
    "Move validation into the model", "Support partial updates", "Drop the flag of the finished experiment",
    "Round once, at the end", "Accept longer identifiers", "Handle paginated answers",
)  # fmt: skip
_TITLES_OF_FILES = {
    "api.py": ("Read the body in one place", "Tidy up handlers before the next feature"),
    "clients.py": ("Log request ids of upstream calls", "Structured logs in the clients"),
    "settings.py": ("One more setting for the clients", "Settings for the next feature"),
    "models.py": ("Say when an item has no lines", "Support partial updates"),
    "internal/http/server.go": ("Add tracing attributes", "Request ids in every handler"),
    "internal/client/client.go": ("Read timeouts from the settings", "No constants in the client"),
    "go.mod": ("Bump dependencies", "Follow the newest x/net"),
    "internal/model/model.go": ("Tell an absent amount from zero", "Move validation into the model"),
}
"""By what is changed where no error points: who reads the diff finds what the title says."""
_TITLES_OF_VALUES = (
    (".limits.memory", ("Right-size memory", "Set memory by what the dashboards show")),
    (".limits.cpu", ("Right-size CPU of {service}", "Give back unused CPU")),
    (".requests.", ("Review resource requests of {service}", "Set requests by the new sizing guide")),
    ("Probe", ("Align probes with the platform template", "Move probes to the management path")),
    (".nodeSelector", ("Pin {service} to its node pool",)),
    (".affinity", ("Spread {service} over nodes", "Affinity by the new template")),
    (".securityContext", ("Adopt the hardened security context",)),
    (".env[", ("Move settings of {service} to the environment", "Rename settings")),
    (".initContainers", ("Wait for what we need before we start",)),
    (".command", ("Use the new entrypoint of the base image",)),
    (".volumes", ("Mount configuration as files",)),
    (".containers[", ("Adopt the template's sidecar and settings",)),
)
_PYTHON = (
    ("api.py", "@@ -31,5 +31,5 @@ async def handler(request):\n-    body = await request.json()\n+    body = await read(request)\n     return respond(body)"),  # noqa: E501
    ("clients.py", "@@ -8,4 +8,5 @@\n import httpx\n+import structlog\n from settings import settings"),
    ("settings.py", "@@ -14,4 +14,5 @@ class Settings:\n     timeout: float = 2.0\n+    retries: int = 1\n"),
    ("models.py", "@@ -52,4 +52,7 @@ class Item:\n     lines: list[Line]\n+    @property\n+    def empty(self) -> bool:\n+        return not self.lines"),  # noqa: E501
)  # fmt: skip
_GO = (
    ("internal/http/server.go", "@@ -41,2 +41,3 @@ func (s *Server) routes() {\n+\ts.mux.Use(requestID)"),
    ("internal/client/client.go", "@@ -19,4 +19,4 @@\n-\tTimeout: 2 * time.Second,\n+\tTimeout: cfg.Timeout,"),
    ("go.mod", "@@ -5,3 +5,3 @@\n-\tgolang.org/x/net v0.30.0\n+\tgolang.org/x/net v0.31.0"),
    ("internal/model/model.go", "@@ -77,3 +77,6 @@\n+// IsZero tells an absent amount from zero.\n+func (a Amount) IsZero() bool { return a.Minor == 0 }"),  # noqa: E501
)  # fmt: skip
