"""Faults on the wire between a client and a sandbox server: what real networks and gateways do to requests.

An ASGI middleware around either server. `POST /_sandbox/faults` sets the rules, `GET` says how often each one struck,
`DELETE` ends them. Requests to `/_sandbox/` never meet a fault.
"""

import asyncio
import json
import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from starlette.types import ASGIApp, Message, Receive, Scope, Send

Kind = Literal[
    "drop_before",  # the request never arrives, the connection breaks
    "drop_after",  # the server does its work, the answer is lost
    "late",  # the connection breaks at once, the server does its work `seconds` later
    "late_504",  # a gateway answers 504 at once, the server does its work `seconds` later
    "status",  # `status` with `body` instead of the server's work
    "status_after",  # the server does its work, then a gateway answers `status` with `body`
    "slow",  # the server starts its work `seconds` later
    "truncate",  # half of the answer, then the connection breaks
]
BODIES = {
    "json": ("application/json", b'{"Message":"The service is unavailable."}'),
    "html": ("text/html", b"<html><body><h1>Service Unavailable</h1></body></html>"),
    "empty": ("", b""),
}


@dataclass
class Fault:
    """One rule. It strikes a `share` of the requests that fit, at most `times` when that is given."""

    kind: Kind
    share: float = 1.0
    method: str = ""
    path: str = ""
    status: int = 503
    body: Literal["json", "html", "empty"] = "json"
    seconds: float = 1.0
    times: int | None = None
    struck: int = field(default=0)

    def fits(self, scope: Scope) -> bool:
        return (
            (not self.method or scope["method"] == self.method)
            and self.path in scope["path"]
            and (self.times is None or self.struck < self.times)
        )


class Faults:
    """The middleware. The same seed and the same requests give the same faults."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.rules: list[Fault] = []
        self._random = random.Random(0)
        self._late: set[asyncio.Task[None]] = set()

    def set(self, rules: list[Fault], seed: int = 0) -> None:
        self.rules = rules
        self._random = random.Random(seed)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
        elif scope["path"] == "/_sandbox/faults":
            await self._administer(scope, receive, send)
        elif scope["path"].startswith("/_sandbox/"):
            await self.app(scope, receive, send)
        else:
            await self._meet(scope, receive, send)

    def _next(self, scope: Scope) -> Fault | None:
        for rule in self.rules:
            if rule.fits(scope) and self._random.random() < rule.share:
                rule.struck += 1
                return rule
        return None

    async def _meet(self, scope: Scope, receive: Receive, send: Send) -> None:
        fault = self._next(scope)
        if fault is None:
            await self.app(scope, receive, send)
            return
        body = await _read(receive)
        match fault.kind:
            case "drop_before":
                _break(send)
            case "drop_after":
                await self._work(scope, body)
                _break(send)
            case "late":
                self._later(scope, body, fault.seconds)
                _break(send)
            case "late_504":
                self._later(scope, body, fault.seconds)
                await _answer(send, 504, "html")
            case "status":
                await _answer(send, fault.status, fault.body)
            case "status_after":
                await self._work(scope, body)
                await _answer(send, fault.status, fault.body)
            case "slow":
                await asyncio.sleep(fault.seconds)
                await self.app(scope, _replay(body), send)
            case "truncate":
                messages = await self._work(scope, body)
                await _half(send, messages)

    async def _work(self, scope: Scope, body: bytes) -> list[Message]:
        """Let the server do its work and keep its answer."""
        messages: list[Message] = []

        async def keep(message: Message) -> None:
            messages.append(message)

        await self.app(scope, _replay(body), keep)
        return messages

    def _later(self, scope: Scope, body: bytes, seconds: float) -> None:
        async def work() -> None:
            await asyncio.sleep(seconds)
            await self._work(scope, body)

        task = asyncio.create_task(work())
        self._late.add(task)
        task.add_done_callback(self._late.discard)

    async def _administer(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] == "POST":
            wanted: Mapping[str, Any] = json.loads(await _read(receive))
            self.set([Fault(**rule) for rule in wanted["rules"]], int(wanted.get("seed", 0)))
        elif scope["method"] == "DELETE":
            self.set([])
        struck = Counter[str]()
        for rule in self.rules:
            struck[rule.kind] += rule.struck
        said = {"rules": [asdict(rule) for rule in self.rules], "struck": struck, "late": len(self._late)}
        await _send(send, 200, "application/json", json.dumps(said).encode())


async def _read(receive: Receive) -> bytes:
    parts = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


def _replay(body: bytes) -> Receive:
    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive


def _break(send: Send) -> None:
    """Cut the connection without an answer."""
    cycle = getattr(send, "__self__", None)
    if cycle is None or not hasattr(cycle, "transport"):
        raise RuntimeError("Connections can only be broken under uvicorn.")
    cycle.transport.abort()


async def _answer(send: Send, status: int, body: str) -> None:
    media_type, content = BODIES[body]
    await _send(send, status, media_type, content)


async def _send(send: Send, status: int, media_type: str, content: bytes) -> None:
    headers = [(b"content-length", str(len(content)).encode())]
    if media_type:
        headers.append((b"content-type", media_type.encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content})


async def _half(send: Send, messages: list[Message]) -> None:
    content = b"".join(message.get("body", b"") for message in messages)
    start = next(message for message in messages if message["type"] == "http.response.start")
    headers = [(name, value) for name, value in start["headers"] if name.lower() != b"content-length"]
    headers.append((b"content-length", str(max(len(content), 2)).encode()))
    await send({**start, "headers": headers})
    await send({"type": "http.response.body", "body": content[: len(content) // 2], "more_body": True})
    await asyncio.sleep(0)
    _break(send)
