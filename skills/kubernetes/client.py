"""HTTP to the API server through the official client's ApiClient: JSON in, dicts out, GET only.

The client's typed APIs are left alone: they cost a second and sixty megabytes to load, and refuse objects that a
cluster serves happily. Here every request is metered, bounded in time and in bytes, and asked again only where the
server says so; what goes wrong becomes a Trouble with the path and the server's own words.
"""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from kubernetes.client.api_client import ApiClient
from kubernetes.client.configuration import Configuration
from kubernetes.client.exceptions import ApiException
from kubernetes.client.rest import RESTResponse
from pydantic_core import from_json
from urllib3.exceptions import HTTPError, ProtocolError

from skills.bounded import Bound, whole_body
from skills.contract import Access, SkillError, ToolError
from skills.kubernetes.objects import Object, maps, number, one_line, text
from skills.kubernetes.settings import Settings
from skills.silence import out_of_time, unanswered
from skills.trouble import Answered, Denied, Key, Party, Refused, Unanswered, refused, secrets_of, unreadable
from skills.trouble import NotThere as NotServed
from skills.wire import CONNECT_SECONDS, MOST_PATIENCE, MOST_WORDS, pause_of, was_closed

__all__ = ["Client", "Denied", "Listing", "NotServed", "Refused", "Unanswered"]

PAGE = 500
MAX_BYTES = 32_000_000
MAX_LOG_BYTES = 512 * 1024
METADATA_ONLY = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json"
TABLE = "application/json;as=Table;g=meta.k8s.io;v=v1"


class Expired(Refused):
    """410 on a page that is not the first: the list's moment has been compacted away."""

    def __init__(self, problem: Refused, token: str) -> None:
        super().__init__(problem.said, problem.remedy, problem.asked, status=problem.status, words=problem.words)
        self.token = token
        """With which the server goes on as things are now; empty where it does not offer it."""


@dataclass(frozen=True)
class Listing:
    items: tuple[Object, ...]
    left_out: str = ""
    """Why the list is not complete; empty when it is."""
    partial: str = ""
    """Which part of a crowd was read on purpose; the rest is known not to deviate, and is no gap."""


class Client:
    """One cluster for one investigation. Safe to use from several threads."""

    def __init__(self, access: Access) -> None:
        settings: Settings = access.settings
        self._settings = settings
        self._secret = access.secret
        self._meter = access.meter
        self._api: ApiClient | None = None
        self._has_answered = False
        self._party = _party(settings, None, settings.url or "")
        self._lock = threading.Lock()
        self.timeout_seconds = settings.timeout_seconds or access.timeout_seconds

    def get(self, path: str, params: Mapping[str, Any] | None = None, *, within: float | None = None) -> Object:
        """One JSON object. Raises ToolError."""
        return self._decoded(self._read(path, params, "application/json", MAX_BYTES, within), path)

    def list(
        self,
        path: str,
        params: Mapping[str, Any] | None = None,
        *,
        within: float | None = None,
        accept: str = "application/json",
        pages: int | None = None,
    ) -> Listing:
        """All pages of a list up to the cap. Raises ToolError when the first page fails."""
        query = {"limit": PAGE, **(params or {})}
        items: list[Object] = []
        expired = ""
        ends = time.monotonic() + (within or self.timeout_seconds)
        for page in range(1, (pages or self._settings.max_pages) + 1):
            try:
                answer = self._decoded(self._read(path, query, accept, MAX_BYTES, ends - time.monotonic()), path)
                if "items" not in answer:
                    raise Unanswered(f"Kubernetes gave {_kind(answer)} instead of a list", asked=f"GET {path}")
            except ToolError as error:
                if page == 1:
                    raise
                if isinstance(error, Expired) and error.token and not expired:
                    # The moment of the first page is not kept any more; the server offers to go on as things are now.
                    expired = f"it changed while it was read, so that some objects may be missing: {error}"
                    query = {**query, "continue": error.token}
                    continue
                return Listing(tuple(items), f"stopped after {len(items)} objects: {error}")
            items += maps(answer, "items")
            token = text(answer, "metadata", "continue")
            if not token:
                return Listing(tuple(items), expired)
            query = {**query, "continue": token}
        more = number(answer, "metadata", "remainingItemCount")
        return Listing(tuple(items), f"stopped after {len(items)} objects in {page} pages, {more or 'more'} left")

    def table(
        self, path: str, params: Mapping[str, Any] | None = None, *, within: float | None = None, pages: int = 20
    ) -> tuple[dict[str, str], ...]:
        """Rows by column name (`Name`, `Ready`, `Status` ...), without the objects. Raises ToolError.

        meta.k8s.io/v1 Table, as `kubectl get` asks for it.
        """
        query = {"includeObject": "None", **(params or {})}
        found: tuple[dict[str, str], ...] = ()
        ends = time.monotonic() + (within or self.timeout_seconds)
        for _ in range(pages):
            answer = self._decoded(self._read(path, query, TABLE, MAX_BYTES, ends - time.monotonic()), path)
            if _kind(answer) != "Table":
                raise Unanswered(f"Kubernetes gave {_kind(answer)} instead of a Table", asked=f"GET {path}")
            columns = [text(c, "name") for c in maps(answer, "columnDefinitions")]
            cells = [row.get("cells") for row in maps(answer, "rows")]
            found += tuple(dict(zip(columns, map(str, c), strict=False)) for c in cells if isinstance(c, Sequence))
            token = text(answer, "metadata", "continue")
            if not token:
                return found
            query = {**query, "continue": token}
        raise Unanswered(f"Kubernetes has more than {len(found)} rows", asked=f"GET {path}")

    def text(self, path: str, params: Mapping[str, Any] | None = None, *, within: float | None = None) -> str:
        """Plain text such as a container's log, cut at 512 KiB. Raises ToolError."""
        answer = self._read(path, params, "text/plain, */*", MAX_LOG_BYTES, within, cut=True)
        return answer.body.decode("utf-8", errors="replace")

    def _read(
        self,
        path: str,
        params: Mapping[str, Any] | None,
        accept: str,
        most: int,
        within: float | None,
        *,
        cut: bool = False,
    ) -> Answered:
        seconds = self.timeout_seconds if within is None else min(within, self.timeout_seconds)
        ends = time.monotonic() + seconds
        shown = path + (f"?{urlencode({k: v for k, v in params.items() if k != 'continue'})}" if params else "")
        asked = f"GET {shown}"
        url = path + (f"?{urlencode(params)}" if params else "")
        answer = self._once(url, asked, accept, most, ends, cut=cut)
        pause = pause_of(answer)
        if pause is not None and pause <= MOST_PATIENCE and time.monotonic() + pause + 0.05 < ends:
            # Priority and fairness turns requests away for a second at a time.
            time.sleep(pause)
            answer = replace(self._once(url, asked, accept, most, ends, cut=cut), tries=2)
        if answer.status == 410:
            raise Expired(refused(self._party, answer, asked), _token(answer.body))
        if answer.status >= 300:
            raise refused(self._party, answer, asked)
        return answer

    def _once(self, url: str, asked: str, accept: str, most: int, ends: float, *, cut: bool) -> Answered:
        began = time.monotonic()
        seconds = ends - began
        if seconds <= 0:
            raise out_of_time(self._party, asked)
        with self._lock:
            self._meter.request()
            api = self._api = self._api or self._connect()
        headers = {"Accept": accept, "User-Agent": "gumshoe"}
        api.update_params_for_auth(headers, [], ["BearerToken"], url.partition("?")[0], "GET", None)
        try:
            answer = self._sent(api, url, headers, seconds)
            fails = answer.status >= 300
            bound = Bound(seconds, self._meter.received, MOST_WORDS if fails else most, cut=cut or fails)
            body = whole_body(answer.response, bound, began)
        except (ApiException, HTTPError, OSError) as error:
            raise unanswered(self._party, error, asked, seconds) from None
        return Answered(answer.status, {k.lower(): v for k, v in answer.response.headers.items()}, body)

    def _sent(self, api: ApiClient, url: str, headers: dict[str, str], seconds: float) -> RESTResponse:
        def send() -> RESTResponse:
            patience = (min(seconds, CONNECT_SECONDS), seconds)
            return api.call_api("GET", api.configuration.host + url, headers, _request_timeout=patience)

        try:
            answer = send()
        except ProtocolError as error:
            if not (self._has_answered and was_closed(error)):
                raise
            answer = send()
        self._has_answered = True
        return answer

    def _decoded(self, answer: Answered, path: str) -> Object:
        try:
            # In Rust: a third less time than the standard library takes for megabytes of pods.
            found = from_json(answer.body)
        except ValueError:
            raise unreadable(self._party, answer, f"GET {path}") from None
        if not isinstance(found, dict):
            raise unreadable(self._party, answer, f"GET {path}", "an object of Kubernetes")
        return found

    def _connect(self) -> ApiClient:
        configuration = Configuration()
        settings = self._settings
        if settings.url is not None:
            configuration.host = settings.url
        else:
            _load(configuration, settings)
        token = self._secret(settings.token_env) if settings.token_env else None
        if token:
            configuration.api_key["authorization"] = f"Bearer {token.strip()}"
            configuration.api_key_prefix.pop("authorization", None)
        self._party = _party(settings, token, configuration.host)
        if settings.ca_file:
            configuration.ssl_ca_cert = settings.ca_file
        configuration.verify_ssl = settings.verify_tls
        configuration.retries = False
        configuration.connection_pool_maxsize = 32
        try:
            return ApiClient(configuration)
        except (OSError, ssl.SSLError) as error:
            raise ToolError(f"kubernetes: ca_file {settings.ca_file}: {error}") from None


def _load(configuration: Configuration, settings: Settings) -> None:
    # Reading a kubeconfig pulls in oauthlib and yaml; clusters given by url never need it.
    from kubernetes import config  # noqa: PLC0415

    try:
        if settings.in_cluster:
            config.load_incluster_config(client_configuration=configuration)  # type: ignore[no-untyped-call]  # the vendor's
        else:
            config.load_kube_config(context=settings.context, client_configuration=configuration)  # type: ignore[no-untyped-call]  # the vendor's
    except (config.ConfigException, OSError) as error:
        way = "in_cluster" if settings.in_cluster else f"context {settings.context}"
        raise SkillError(f"kubernetes: {way}: {one_line(str(error))}") from None


def _token(body: bytes) -> str:
    """Of the Status that comes with 410 (Kubernetes API concepts, "Retrieving large results sets in chunks")."""
    try:
        return text(from_json(body), "metadata", "continue")
    except ValueError:
        return ""


def _kind(answer: Any) -> str:
    return text(answer, "kind") or type(answer).__name__


def _party(settings: Settings, token: str | None, host: str) -> Party:
    """Whoever the settings say: an address with a token, a context of the kubeconfig, or our own pod's cluster."""
    login = "our own service account" if settings.in_cluster else f"context {settings.context} of the kubeconfig"
    if settings.url:
        login = "the user named here"  # whoever a proxy speaks for
    key = Key("token_env", settings.token_env, bool(token))
    return Party(
        "Kubernetes",
        "skills.kubernetes",
        host,
        (key,) if settings.url or settings.token_env else (),
        login=login,
        address="url" if settings.url else "in_cluster" if settings.in_cluster else "context",
        needs="do so: apply config/kubernetes-rbac.yaml",
        secrets=secrets_of(token),
    )
