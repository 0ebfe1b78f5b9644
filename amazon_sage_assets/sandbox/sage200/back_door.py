"""`/_sandbox/...`: what a person at the desk does, and what a drill needs to know. No real Sage has it."""

from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import date
from decimal import Decimal
from typing import Any, get_args, get_type_hints

import anyio.to_thread
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from amazon_sage_assets.sandbox.sage200 import answers
from amazon_sage_assets.sandbox.sage200.books import DOCUMENTS, Books
from amazon_sage_assets.sandbox.sage200.options import Options
from amazon_sage_assets.sandbox.sage200.refusals import Refused

Work = Callable[[dict[str, Any]], Any]


def routes(books: Books, requests: Counter[str]) -> list[Route]:
    def read(name: str, work: Callable[[], Any]) -> Route:
        return _route(name, "GET", lambda _: work())

    return [
        read("ledger", lambda: _ledger(books)),
        read("documents", lambda: [{**d, "value": str(d["value"])} for d in books.documents()]),
        read("requests", lambda: dict(sorted(requests.items()))),
        _route("requests", "DELETE", lambda _: requests.clear()),
        read("options", lambda: asdict(books.options)),
        _route("options", "POST", lambda body: _change_options(books, body)),
        _route("close_period", "POST", lambda body: books.close_period(_day(body, "start"))),
        _route("open_period", "POST", lambda body: books.open_period(_day(body, "start"))),
        _route("update_nominal", "POST", lambda _: {"postings": books.update_nominal()}),
        read("sop_orders", lambda: _as_text(books.sop_orders())),
        read("sop_returns", lambda: _as_text(books.sop_orders("return"))),
        read("stock", lambda: {"/".join(key): str(quantity) for key, quantity in books.stock().items()}),
        _route("set_stock", "POST", lambda body: _set_stock(books, body)),
        _route("despatch", "POST", lambda body: {"document_no": _move(books.despatch, body)}),
        _route("invoice_orders", "POST", lambda body: {"document_nos": _bill(books.invoice_orders, body)}),
        _route("cancel_order", "POST", lambda body: books.cancel_order(body["order"])),
        _route("receive_return", "POST", lambda body: {"document_no": _move(books.receive_return, body)}),
        _route("credit_returns", "POST", lambda body: {"document_nos": _bill(books.credit_returns, body)}),
        _route("enter_by_hand", "POST", lambda body: _enter(books, body)),
        _route("import_journal", "POST", lambda body: {"urn": books.import_journal(body["text"])}),
        _route("reconcile", "POST", lambda body: _reconcile(books, body)),
        _route("settings", "POST", lambda body: _change_settings(books, body)),
        _route("expire_tokens", "POST", lambda _: books.expire_access_tokens()),
    ]


def _route(name: str, method: str, work: Work) -> Route:
    async def handle(request: Request) -> Response:
        content = await request.body()
        return await anyio.to_thread.run_sync(_answer, work, content)

    return Route(f"/_sandbox/{name}", handle, methods=[method])


def _answer(work: Work, content: bytes) -> Response:
    try:
        body = answers.parsed(content) if content else {}
        if not isinstance(body, dict):
            raise Refused("The body must be an object.")
        done = work(body)
    except Refused as refused:
        return answers.answer({"Message": refused.message}, refused.status)
    except (ValueError, KeyError, TypeError) as fault:
        return answers.answer({"Message": f"{type(fault).__name__}: {fault}"}, 400)
    return answers.answer(done if done is not None else {})


def _ledger(books: Books) -> dict[str, Any]:
    """Money as text, and the accounts as one key: `7903/LON/VAL`."""
    trial = {"/".join(key).rstrip("/"): str(amount) for key, amount in books.trial_balance().items()}
    return {"trial_balance": trial, "bank_balances": {code: str(a) for code, a in books.bank_balances().items()}}


def _enter(books: Books, body: dict[str, Any]) -> dict[str, int]:
    """`{"kind": "bank_payment", "body": {...}, "user_name": "SARAH", "source": "LedgerBankFeeds"}`"""
    if body.get("kind") not in DOCUMENTS:
        raise Refused(f"'{body.get('kind')}' is not a kind of document: {', '.join(DOCUMENTS)}.", "kind")
    more = {name: body[name] for name in ("user_name", "source") if name in body}
    return {"urn": books.enter_by_hand(body["kind"], body["body"], **more)}


def _as_text(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: str(value) if isinstance(value, Decimal) else value for name, value in row.items()} for row in rows]


def _set_stock(books: Books, body: dict[str, Any]) -> None:
    books.set_stock(body["code"], body["warehouse"], Decimal(body["quantity"]))


def _move(work: Callable[..., str], body: dict[str, Any]) -> str:
    """`{"order": "202-1", "courier": "Royal Mail", "consignment_no": "RM1", "day": "2026-03-04",
    "lines": {"KETTLE-01": 2}}`, and `sales_return` in the place of `order`; the first is needed."""
    return work(**_with_day(body))


def _bill(work: Callable[..., list[str]], body: dict[str, Any]) -> list[str]:
    """`{"day": "2026-03-04", "order_ids": [1388180]}`, and `return_ids`; nothing is needed."""
    return work(**_with_day(body))


def _with_day(body: dict[str, Any]) -> dict[str, Any]:
    return {**body, **({"day": _day(body, "day")} if body.get("day") else {})}


def _reconcile(books: Books, body: dict[str, Any]) -> None:
    books.reconcile_bank_entry(int(body["entry_id"]), _day(body, "statement_date"), int(body.get("page", 1)))


def _change_settings(books: Books, body: dict[str, Any]) -> None:
    for key, value in body.items():
        books.change_setting(key, str(value))


def _day(body: dict[str, Any], name: str) -> date:
    return date.fromisoformat(body[name])


def _change_options(books: Books, body: dict[str, Any]) -> dict[str, Any]:
    hints = get_type_hints(Options)
    changed: dict[str, Any] = {}
    for name, value in body.items():
        if name not in hints:
            raise Refused(f"'{name}' is not an option.", name)
        hint, allowed = hints[name], get_args(hints[name])
        if allowed and value not in allowed:
            raise Refused(f"'{name}' must be one of {', '.join(map(str, allowed))}.", name)
        if not allowed and (hint is bool) != isinstance(value, bool):
            raise Refused(f"'{name}' must be {'true or false' if hint is bool else 'a number'}.", name)
        changed[name] = value if allowed else hint(value)
    books.options = replace(books.options, **changed)
    return asdict(books.options)
