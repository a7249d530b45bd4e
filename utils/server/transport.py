"""Asking a server over HTTP: one request, its reply, and another attempt where a problem may pass."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from itertools import count

import httpx
from pydantic import SecretStr

from utils.errors import CourseError

# A laptop may answer the four one after another, so the last waits for all of them.
CONNECT_SECONDS, READ_SECONDS = 5.0, 300.0
LARGEST_REPLY = 4_000_000  # bytes
THIS_COMPUTER = ("localhost", "127.0.0.1", "::1")

PASSING = (408, 425, 429, 500, 502, 503, 504)  # statuses of problems that may pass
ATTEMPTS = 5
ATTEMPTS_TIMED_OUT = 2  # each takes minutes
LONGEST_PAUSE, LONGEST_PAUSE_ASKED_FOR = 8.0, 30.0  # seconds; the second where the server says how long

SHOWN = 60  # characters of a server's own words in a sentence

CONTEXT = re.compile(r"context[ _](?:length|size|window)|(?:prompt|input) is too long|too many tokens", re.IGNORECASE)
_TEMPLATE = re.compile(r"system (?:role|message)|roles must alternate", re.IGNORECASE)
# Where servers put what they have to say about an error.
_SAYING = ("error", "message", "msg", "detail", "param", "loc")


class _MayPass(Exception):
    """A problem that a later attempt may not meet.  pause: seconds that the server asked for."""

    def __init__(self, sentence: str, attempts: int = ATTEMPTS, pause: float | None = None) -> None:
        super().__init__(sentence)
        self.attempts, self.pause = attempts, pause


@dataclass(frozen=True)
class Reply:
    """What came back for a request: the HTTP status, the headers, the body."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def data(self) -> object:
        """The JSON of the body; None where there is none."""
        if "json" not in self.headers.get("content-type", "json").lower():
            return None
        with suppress(ValueError, RecursionError):
            return json.loads(self.body)
        return None

    @property
    def complaint(self) -> str:
        """What the server says about an error: its own words, without what it may have copied from the request."""
        return self.body.decode("utf-8", "replace") if self.data is None else _words(self.data)


@dataclass(frozen=True)
class Server:
    """Where a server is, and how it is asked: with a key or without, and for how long.

    sleep: called with the seconds between two attempts; tests replace it.
    Raises CourseError for an address that is none, or over which the key would travel in the clear.
    """

    url: str
    key: SecretStr | None = field(default=None, repr=False)
    connect_seconds: float = CONNECT_SECONDS
    read_seconds: float = READ_SECONDS
    sleep: Callable[[float], object] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        """Checks the address and the key; drops what is often pasted after the address."""
        url = _checked_url(self.url)
        object.__setattr__(self, "url", url)
        if self.key and not re.fullmatch(r"[!-~]+", self.key.get_secret_value()):
            raise CourseError("COURSE_API_KEY holds a space or a letter that no key has: copy the key again.")
        if self.key and httpx.URL(url).scheme == "http" and not self.is_local:
            raise CourseError(
                f"The key would travel to {self.address} in the clear: use https in COURSE_GENERATOR, or unset "
                "COURSE_API_KEY if the server needs none."
            )

    @property
    def address(self) -> str:
        """Host and port, as they are in the URL."""
        return httpx.URL(self.url).netloc.decode("ascii")

    @property
    def is_local(self) -> bool:
        """Whether the server runs on this computer."""
        return httpx.URL(self.url).host in THIS_COMPUTER

    def client(self) -> httpx.Client:
        """What sends the requests.  Follows no redirect, which could take the key elsewhere; no proxy to this computer.

        Raises CourseError when the proxy that the environment names cannot be used.
        """
        timeout = httpx.Timeout(self.read_seconds, connect=self.connect_seconds, pool=None)
        headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
        if self.key:
            headers["Authorization"] = f"Bearer {self.key.get_secret_value()}"
        try:
            return httpx.Client(
                headers=headers,
                timeout=timeout,
                trust_env=not self.is_local,
                follow_redirects=False,
                verify=httpx.URL(self.url).scheme == "https",  # plain HTTP has no use for certificates: 0.1 s to load
            )
        except (ImportError, OSError, ValueError, httpx.InvalidURL):  # their texts may hold a proxy's password
            raise CourseError(
                "The proxy or certificates that this computer's environment names cannot be used: check HTTPS_PROXY, "
                "ALL_PROXY and SSL_CERT_FILE."
            ) from None

    def request(
        self, client: httpx.Client, path: str, payload: object = None, stop: threading.Event | None = None
    ) -> Reply:
        """The reply to a POST of the payload, or to a GET without one; asks again where the problem may pass.

        stop: ends the attempts once it is set.  Raises CourseError when no attempt gets a reply, or a redirect.
        """
        stop = stop or threading.Event()
        for attempt in count(1):
            try:
                return self._attempt(client, path, payload)
            except _MayPass as problem:
                if attempt < problem.attempts and not stop.is_set():
                    pause = min(LONGEST_PAUSE, 2.0 ** (attempt - 1)) if problem.pause is None else problem.pause
                    (self.sleep or stop.wait)(pause)
                if attempt >= problem.attempts or stop.is_set():
                    raise CourseError(str(problem)) from None

    def only_model(self) -> str:
        """The name of the one model that the server lists.  Raises CourseError where it lists none or several."""
        with self.client() as client:
            reply = self.request(client, "/models")
        if reply.status != 200:
            raise CourseError(self.refusal(reply, "/models"))
        match reply.data:
            case {"data": list(rows)}:
                names = [row["id"] for row in rows if isinstance(row, dict) and isinstance(row.get("id"), str)]
            case _:
                raise CourseError(self.nonsense(reply, "list of models"))
        if len(names) == 1:
            return names[0]
        if not names:
            raise CourseError(f"The server at {self.address} lists no model: load one there, or set COURSE_MODEL.")
        some = ", ".join(self.shown(name) for name in names[:5])
        raise CourseError(
            f"The server at {self.address} has {len(names)} models: set COURSE_MODEL to one of them, "
            f"{'such as' if len(names) > 5 else 'which are'} {some}."
        )

    def refusal(self, reply: Reply, path: str, model: str = "") -> str:
        """A sentence about a reply that is an error."""
        if reply.status in (401, 403):
            fix = "refuses the key: check COURSE_API_KEY" if self.key else "wants a key: set COURSE_API_KEY"
            return f"The server at {self.address} {fix} ({reply.status})."
        if reply.status == 404 and model and "model" in reply.complaint.lower():
            return f"The server at {self.address} has no model {self.shown(model)!r}: check COURSE_MODEL."
        if reply.status == 404:
            fix = "set COURSE_MODEL" if path == "/models" else "check COURSE_GENERATOR"
            if not self.url.endswith("/v1"):
                fix = f"try COURSE_GENERATOR={self.url}/v1"
            return f"The server at {self.address} has no {httpx.URL(self.url).path.rstrip('/')}{path} (404): {fix}."
        if reply.status == 413 or CONTEXT.search(reply.complaint):
            return (
                f"A prompt is longer than the server at {self.address} reads: show fewer passages or examples, or "
                "raise the server's context."
            )
        said = self.shown(reply.complaint).rstrip(".") or "it does not say why"
        fix = ": check COURSE_MODEL" if model and model in reply.complaint else ""
        return f"The server at {self.address} refuses the request ({reply.status}: {said}){fix}."

    def nonsense(self, reply: Reply, wanted: str = "chat completion") -> str:
        """A sentence about a reply that is none of the protocol."""
        said = self.shown(reply.body.decode("utf-8", "replace"))
        return (
            f"The server at {self.address} answered with something that is no {wanted} ({said or 'nothing'}): check "
            "that COURSE_GENERATOR is the address of its OpenAI-compatible API, which often ends in /v1."
        )

    def shown(self, text: str) -> str:
        """The beginning of a server's words, on one line; without the key, which some servers repeat."""
        if self.key:
            text = text.replace(self.key.get_secret_value(), "…")
        line = " ".join("".join(letter if letter.isprintable() else " " for letter in text[:1000]).split())
        return line if len(line) <= SHOWN else f"{line[:SHOWN]}…"

    def _attempt(self, client: httpx.Client, path: str, payload: object) -> Reply:
        """One request and its reply.  Raises _MayPass for problems that may pass, CourseError for a redirect.

        No error is raised "from" that of httpx, whose text may quote the server, and so the key.
        """
        try:
            reply = _exchange(client, f"{self.url}{path}", payload)
        except httpx.ConnectTimeout:
            raise _MayPass(self._unreachable(f"no connection in {self.connect_seconds:g} seconds")) from None
        except httpx.TimeoutException:
            sentence = (
                f"The server at {self.address} gave no answer in {self.read_seconds:g} seconds: see what it does."
            )
            raise _MayPass(sentence, ATTEMPTS_TIMED_OUT) from None
        except (httpx.ConnectError, httpx.ProxyError, UnicodeError) as error:
            raise _MayPass(self._unreachable(self.shown(str(error)))) from None
        except httpx.TransportError as error:
            raise _MayPass(
                f"The server at {self.address} broke off before its answer was complete ({self.shown(str(error))}): "
                "see whether it still runs."
            ) from None
        if 300 <= reply.status < 400:
            raise CourseError(
                f"The server at {self.address} sends requests on to another address, which the course does not follow: "
                "set COURSE_GENERATOR to the final address."
            )
        if reply.status in PASSING and not _is_final(reply):
            raise _MayPass(self._busy(reply, path), pause=_retry_after(reply.headers))
        return reply

    def _unreachable(self, why: str) -> str:
        return f"No server answers at {self.address} ({why}): start it, or check COURSE_GENERATOR."

    def _busy(self, reply: Reply, path: str) -> str:
        said = self.shown(reply.complaint)
        fix = "set COURSE_MODEL, so that it need not list its models" if path == "/models" else "see what it does"
        return (
            f"The server at {self.address} cannot answer now ({reply.status}{f': {said}' if said else ''}): wait a "
            f"while, or {fix}."
        )


def _is_final(reply: Reply) -> bool:
    """Whether an internal error (500) is about the request: with some servers, that of a template or a long prompt."""
    return reply.status == 500 and bool(_TEMPLATE.search(reply.complaint) or CONTEXT.search(reply.complaint))


def _exchange(client: httpx.Client, url: str, payload: object) -> Reply:
    """Sends one request and reads its reply, up to LARGEST_REPLY.  Raises what httpx raises."""
    method, sent = ("GET", None) if payload is None else ("POST", json.dumps(payload).encode("ascii"))
    headers = {"Content-Type": "application/json"} if sent else None
    body = bytearray()
    with client.stream(method, url, content=sent, headers=headers) as response:
        for chunk in response.iter_raw():  # not decompressed: a small reply could become a huge one
            body += chunk
            if len(body) > LARGEST_REPLY:
                break
    return Reply(response.status_code, response.headers, bytes(body[:LARGEST_REPLY]))


def _words(value: object, depth: int = 4) -> str:
    """What an error's JSON says, in one line."""
    if isinstance(value, str):
        return value
    if depth and isinstance(value, dict):
        return " ".join(filter(None, (_words(value.get(name), depth - 1) for name in _SAYING)))
    if depth and isinstance(value, list):
        return " ".join(filter(None, (_words(one, depth - 1) for one in value[:20])))
    return ""


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """The seconds that the server asks to wait, within bounds; None where it does not say."""
    said = headers.get("retry-after", "").strip()
    try:
        seconds = float(said)
    except ValueError:
        try:
            until = parsedate_to_datetime(said)
        except (ValueError, TypeError, OverflowError):
            return None
        seconds = (until.replace(tzinfo=until.tzinfo or UTC) - datetime.now(UTC)).total_seconds()
    return max(0.0, min(LONGEST_PAUSE_ASKED_FOR, seconds))


def _checked_url(url: str) -> str:
    """The address without what is often pasted after it.  Raises CourseError when it is none."""
    text = str(url).strip().rstrip("/").removesuffix("/chat/completions")
    try:
        parsed = httpx.URL(text)
    except (httpx.InvalidURL, ValueError, TypeError):
        parsed = httpx.URL("")
    if parsed.userinfo or parsed.query or parsed.fragment or "@" in text:
        # Not repeated: it may be a password.
        raise CourseError("COURSE_GENERATOR has more than an address: put the key into COURSE_API_KEY instead.")
    if parsed.scheme not in ("http", "https") or not parsed.host or (parsed.port or 0) > 65535:
        raise CourseError(
            f"{text[:SHOWN]!r} is not the address of a server: set COURSE_GENERATOR to one such as "
            "http://127.0.0.1:8080/v1."
        )
    return text
