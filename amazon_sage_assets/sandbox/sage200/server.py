"""The simulated Sage 200 as an ASGI app: sign-in, the API of one company, and the sandbox's own back door."""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl

import anyio.to_thread
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from amazon_sage_assets.sandbox.sage200 import answers, back_door, sign_in
from amazon_sage_assets.sandbox.sage200.books import DOCUMENTS, Books
from amazon_sage_assets.sandbox.sage200.columns import Resource
from amazon_sage_assets.sandbox.sage200.options import Options
from amazon_sage_assets.sandbox.sage200.queries import Condition, by_key, read
from amazon_sage_assets.sandbox.sage200.refusals import Refused
from amazon_sage_assets.sandbox.sage200.resources import BELOW, WITH_IDS, catalogue
from amazon_sage_assets.sandbox.sage200.sop_orders import Kind
from amazon_sage_assets.sandbox.sage200.sop_resources import SOP_BELOW, SOP_WITH_IDS, sop_catalogue
from amazon_sage_assets.sandbox.sage200.store import setting

BASE = "/uk/sage200extra/accounts/v1"
METHODS = ["GET", "POST", "PUT", "DELETE", "PATCH"]
ID_DIGITS = 18
BELOW_ANY = {**BELOW, **SOP_BELOW}
ENTERED: dict[str, Kind] = {"sop_orders": "order", "sop_returns": "return"}


@dataclass(frozen=True)
class _Call:
    """A request that has arrived whole."""

    method: str
    path: str
    parameters: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes


def create_app(books: Books) -> Starlette:
    """The server of one company. What it remembers, besides how often it was asked, is in the books."""
    turn = asyncio.Lock()
    requests: Counter[str] = Counter()

    async def api(request: Request) -> Response:
        path = request.path_params["path"].strip("/")
        requests[f"{request.method} /{path}"] += 1
        try:
            body = await request.body()
        except ClientDisconnect:  # who asked is gone before the question had arrived whole: there was none
            return Response(status_code=400)
        call = _Call(request.method, path, request.query_params, request.headers, body)
        options = books.options
        if not options.one_at_a_time:
            await asyncio.sleep(options.latency_seconds)
            return await anyio.to_thread.run_sync(_api, books, call)
        if turn.locked() and options.busy_answer == "504":
            return HTMLResponse("<html><body><h1>504 Gateway Timeout</h1></body></html>", 504)
        async with turn:
            await asyncio.sleep(options.latency_seconds)
            return await anyio.to_thread.run_sync(_api, books, call)

    async def token(request: Request) -> Response:
        requests["POST /oauth/token"] += 1
        form = dict(parse_qsl((await request.body()).decode("utf-8", "replace")))
        return await anyio.to_thread.run_sync(_signed_in, lambda: _token(books, form))

    async def authorise(request: Request) -> Response:
        asked = dict(request.query_params)
        return await anyio.to_thread.run_sync(_signed_in, lambda: _authorise(books, asked))

    return Starlette(
        routes=[
            Route("/oauth/token", token, methods=["POST"]),
            Route("/authorize", authorise, methods=["GET"]),
            *back_door.routes(books, requests),
            Route(f"{BASE}/{{path:path}}", api, methods=METHODS),
        ]
    )


def _signed_in(work: Callable[[], Response]) -> Response:
    try:
        return work()
    except sign_in.NotSignedIn as refused:
        content = {"error": refused.error, "error_description": refused.description}
        return answers.answer(content, refused.status)


def _token(books: Books, form: Mapping[str, str]) -> Response:
    with books.store.writing() as db:
        content = sign_in.exchange(db, form, books.now(), books.options)
    response = answers.answer(content, 400 if "error" in content else 200)
    response.headers["Cache-Control"] = "no-store"
    return response


def _authorise(books: Books, asked: Mapping[str, str]) -> Response:
    with books.store.writing() as db:
        return RedirectResponse(sign_in.authorise(db, asked, books.now()), 302)


def _api(books: Books, call: _Call) -> Response:
    """One call, from the header to the answer. A document is committed before its answer exists."""
    try:
        with books.store.reading() as db:
            if not sign_in.is_signed_in(db, call.headers.get("authorization", ""), books.now()):
                return answers.answer({"Message": "Authorization has been denied for this request."}, 401)
            if call.path != "sites":
                _require_company(call, setting(db, "site_id"), setting(db, "company_id"))
        if call.method == "GET":
            return answers.answer(_get(books, call))
        if call.method == "POST":
            return _post(books, call)
        raise _not_found(call)
    except Refused as refused:
        return answers.refusal(refused, books.options)


def _require_company(call: _Call, site_id: str, company_id: str) -> None:
    for header, value in (("X-Site", site_id), ("X-Company", company_id)):
        sent = call.headers.get(header)
        if not sent:
            raise Refused(f"The header {header} is missing.", header)
        if sent != value:
            raise Refused(f"{header} '{sent}' does not exist.", header, 404)


def _not_found(call: _Call) -> Refused:
    return Refused(f"No HTTP resource was found that matches {call.method} '{BASE}/{call.path}'.", "", 404)


@lru_cache(maxsize=8)
def _readable(options: Options) -> dict[str, Resource]:
    return {**catalogue(options), **sop_catalogue(options)}


def _get(books: Books, call: _Call) -> Any:
    known = _readable(books.options)
    match call.path.split("/"):
        case [name] if name in known and known[name].listed:
            with books.store.reading() as db:
                found = read(db, known[name], call.parameters, books.options)
            return found[0] if known[name].single and isinstance(found, list) else found
        case [name, number] if name in known and name in (*WITH_IDS, *SOP_WITH_IDS):
            return _one(books, known[name], _id(call, number), call)
        case [parent, number, name] if (parent, name) in BELOW_ANY:
            _one(books, known[parent], _id(call, number), call, {})
            column = known[name].columns[BELOW_ANY[parent, name]]
            with books.store.reading() as db:
                only = Condition(f"{column.sql} = ?", (int(number),))
                return read(db, known[name], call.parameters, books.options, only)
    raise _not_found(call)


def _id(call: _Call, text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= ID_DIGITS):
        raise _not_found(call)
    return int(text)


def _one(
    books: Books, resource: Resource, number: int, call: _Call, parameters: Mapping[str, str] | None = None
) -> Any:  # fmt: skip
    asked = call.parameters if parameters is None else parameters
    allowed = {name: text for name, text in asked.items() if name in ("$select", "$expand")}
    with books.store.reading() as db:
        found = read(db, resource, allowed, books.options, by_key(resource, number))
    if not found:
        raise Refused(f"There is no record with the id {number}.", "id", 404)
    return found[0]


def _post(books: Books, call: _Call) -> Response:
    options = books.options
    if call.path in DOCUMENTS:
        body = answers.parsed(call.body)
        number = books.enter(call.path, body)
        if call.path == "bank_transfer" and options.transfer_answer == "empty":
            return Response(status_code=options.post_status)
        whole = call.path == "bank_transfer" and options.transfer_answer == "object"
        return answers.answer(body if whole else answers.urn(number, options), options.post_status)
    if call.path == "sales_allocations":
        body = answers.parsed(call.body)
        books.allocate(body)
        return answers.answer(body, options.post_status)
    if call.path in ENTERED and call.path in _readable(options):
        return answers.answer(_entered_sop(books, call), options.post_status)
    if call.path == "sop_confirm_despatch":
        body = answers.parsed(call.body)
        books.confirm_despatch(body)
        return answers.answer(body, options.post_status)
    if call.path == "transaction_date_validation":
        classification, message = books.classify(answers.parsed(call.body))
        return answers.answer({"classification": classification, "message": message})
    raise _not_found(call)


def _entered_sop(books: Books, call: _Call) -> Any:
    """An order as Sage answers it: with its lines, and without the stamps that only a GET tells."""
    number = books.enter_sop(ENTERED[call.path], answers.parsed(call.body))
    resource = _readable(books.options)[call.path]
    with books.store.reading() as db:
        [found] = read(db, resource, {"$expand": "lines,delivery_address"}, books.options, by_key(resource, number))
    for part in (found, found.get("delivery_address", {}), *found["lines"]):
        for stamp in ("date_time_created", "date_time_updated"):
            part.pop(stamp, None)
    return found
