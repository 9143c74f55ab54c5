"""HTTP to the API server through the official client's ApiClient: JSON in, dicts out, GET only.

The client's typed APIs are left alone: they cost a second and sixty megabytes to load, and refuse objects that a
cluster serves happily. Here every request is metered, bounded in time and in bytes, and never retried; what goes wrong
becomes a ToolError with the path and the server's own words.
"""

from __future__ import annotations

import json
import ssl
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import urllib3
from kubernetes.client.api_client import ApiClient
from kubernetes.client.configuration import Configuration
from kubernetes.client.exceptions import ApiException
from pydantic_core import from_json
from urllib3.exceptions import HTTPError

from skills.contract import Access, SkillError, ToolError
from skills.kubernetes.objects import Object, maps, number, one_line, text
from skills.kubernetes.settings import Settings

PAGE = 500
MAX_BYTES = 32 * 1024 * 1024
MAX_LOG_BYTES = 512 * 1024
_CHUNK = 64 * 1024
METADATA_ONLY = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json"
TABLE = "application/json;as=Table;g=meta.k8s.io;v=v1"


class Refused(ToolError):
    """The API server answered, and not with what was asked for. `status` is the HTTP code, `words` what it said."""

    def __init__(self, path: str, status: int, words: str) -> None:
        super().__init__(f"GET {path}: {status} {words}")
        self.path, self.status, self.words = path, status, words


class Denied(Refused):
    """401 or 403. Give the service account the verb and resource that the text names (config/kubernetes-rbac.yaml)."""


class NotServed(Refused):
    """404: no such object, or an API group that this cluster does not have."""


class Unanswered(ToolError):
    """No usable answer: unreachable, too slow, too big, or no JSON."""


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
        self._lock = threading.Lock()
        self.timeout_seconds = settings.timeout_seconds or access.timeout_seconds

    def get(self, path: str, params: Mapping[str, Any] | None = None, *, within: float | None = None) -> Object:
        """One JSON object. Raises ToolError."""
        body = self._read(path, params, "application/json", MAX_BYTES, within)
        return _decoded(body, path)

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
        ends = time.monotonic() + (within or self.timeout_seconds)
        for page in range(1, (pages or self._settings.max_pages) + 1):
            try:
                answer = _decoded(self._read(path, query, accept, MAX_BYTES, ends - time.monotonic()), path)
                if "items" not in answer:
                    raise Unanswered(f"GET {path}: expected a list, found {_kind(answer)}")
            except ToolError as error:
                if page == 1:
                    raise
                return Listing(tuple(items), f"stopped after {len(items)} objects: {error}")
            items += maps(answer, "items")
            token = text(answer, "metadata", "continue")
            if not token:
                return Listing(tuple(items))
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
            answer = _decoded(self._read(path, query, TABLE, MAX_BYTES, ends - time.monotonic()), path)
            if _kind(answer) != "Table":
                raise Unanswered(f"GET {path}: expected a Table, found {_kind(answer)}")
            columns = [text(c, "name") for c in maps(answer, "columnDefinitions")]
            cells = [row.get("cells") for row in maps(answer, "rows")]
            found += tuple(dict(zip(columns, map(str, c), strict=False)) for c in cells if isinstance(c, Sequence))
            token = text(answer, "metadata", "continue")
            if not token:
                return found
            query = {**query, "continue": token}
        raise Unanswered(f"GET {path}: more than {len(found)} rows")

    def text(self, path: str, params: Mapping[str, Any] | None = None, *, within: float | None = None) -> str:
        """Plain text such as a container's log, cut at 512 KiB. Raises ToolError."""
        body = self._read(path, params, "text/plain, */*", MAX_LOG_BYTES, within, cut=True)
        return body.decode("utf-8", errors="replace")

    def _read(
        self,
        path: str,
        params: Mapping[str, Any] | None,
        accept: str,
        most: int,
        within: float | None,
        *,
        cut: bool = False,
    ) -> bytes:
        seconds = self.timeout_seconds if within is None else min(within, self.timeout_seconds)
        if seconds <= 0:
            raise Unanswered(f"GET {path}: no time was left to ask")
        with self._lock:
            self._meter.request()
            api = self._api = self._api or self._connect()
        ends = time.monotonic() + seconds
        headers = {"Accept": accept, "User-Agent": "gumshoe"}
        api.update_params_for_auth(headers, [], ["BearerToken"], path, "GET", None)
        url = f"{api.configuration.host}{path}" + (f"?{urlencode(params)}" if params else "")
        shown = path + (f"?{urlencode({k: v for k, v in params.items() if k != 'continue'})}" if params else "")
        try:
            answer = api.call_api("GET", url, headers, _request_timeout=(min(seconds, 3.0), seconds))
            response: urllib3.HTTPResponse = answer.response
            try:
                body = _body(response, shown, most, ends, seconds, cut=cut or answer.status >= 400)
            finally:
                response.close()
        except ApiException as error:
            raise Unanswered(f"GET {shown}: {one_line(str(error.reason or error))}") from None
        except (HTTPError, OSError, ssl.SSLError) as error:
            raise Unanswered(f"GET {shown}: {_network_words(error, seconds)}") from None
        self._meter.received(len(body))
        if answer.status >= 300:
            raise _refusal(shown, answer.status, answer.reason or "", body)
        return body

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
        if settings.ca_file:
            configuration.ssl_ca_cert = settings.ca_file
        configuration.verify_ssl = settings.verify_tls
        configuration.retries = False
        configuration.connection_pool_maxsize = 16
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


def _body(response: Any, path: str, most: int, ends: float, seconds: float, *, cut: bool) -> bytes:
    """Everything the server sends, but no more than `most` bytes and not beyond `ends`.

    Reads what has arrived instead of filling a buffer: a server that drips one byte a second would otherwise stay
    within every timeout of the socket for ever.
    """
    parts: list[bytes] = []
    size = 0
    while True:
        chunk = response.read1(_CHUNK, decode_content=True)
        if not chunk:
            return b"".join(parts)
        parts.append(chunk)
        size += len(chunk)
        if size > most:
            if cut:
                return b"".join(parts)[:most]
            raise Unanswered(f"GET {path}: the answer is larger than {most // 2**20} MiB, reading stopped")
        if time.monotonic() > ends:
            raise Unanswered(f"GET {path}: no complete answer within {seconds:.3g} s ({size} bytes came)")


def _decoded(body: bytes, path: str) -> Object:
    try:
        # In Rust: a third less time than the standard library takes for megabytes of pods.
        answer = from_json(body)
    except ValueError:
        words = one_line(body[:200].decode("utf-8", errors="replace"), 120)
        raise Unanswered(f"GET {path}: {len(body)} bytes that are not JSON: {words!r}") from None
    if not isinstance(answer, dict):
        raise Unanswered(f"GET {path}: expected an object, found {_kind(answer)}")
    return answer


def _kind(answer: Any) -> str:
    return text(answer, "kind") or type(answer).__name__


def _refusal(path: str, status: int, reason: str, body: bytes) -> Refused:
    try:
        words = text(json.loads(body), "message")
    except ValueError:
        words = body[:300].decode("utf-8", errors="replace")
    words = one_line(words or reason or "no reason given", 300)
    kinds: dict[int, type[Refused]] = {401: Denied, 403: Denied, 404: NotServed}
    return kinds.get(status, Refused)(path, status, words)


def _network_words(error: Exception, seconds: float) -> str:
    if isinstance(error, urllib3.exceptions.ReadTimeoutError):
        return f"no answer within {seconds:.3g} s"
    if isinstance(error, urllib3.exceptions.ConnectTimeoutError) and not isinstance(
        error, urllib3.exceptions.NewConnectionError
    ):
        return f"no connection within {min(seconds, 3.0):.3g} s"
    if isinstance(error, urllib3.exceptions.IncompleteRead) or "IncompleteRead" in str(error):
        return "the answer broke off half-way"
    words = str(getattr(error, "reason", None) or error)
    return one_line(words.split(">: ")[-1], 200)
