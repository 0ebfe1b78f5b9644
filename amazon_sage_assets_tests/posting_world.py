"""A small world for tests of posting: a company, its Sage on a port of this machine, and documents to post."""

import asyncio
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from starlette.types import ASGIApp, Receive, Scope, Send

from amazon_sage_assets.accounting.posting_plan import Movement, PlannedDocument, Settlement, render
from amazon_sage_assets.accounting.rules import RuleBook
from amazon_sage_assets.company import Company
from amazon_sage_assets.connections import sage_client
from amazon_sage_assets.outbox.messages import Message
from amazon_sage_assets.outbox.store import put
from amazon_sage_assets.posting.approval import approve
from amazon_sage_assets.posting.deliver import Posted, post
from amazon_sage_assets.sage.client import Connection, Exchange, SageClient
from amazon_sage_assets.sage.reference_data import ReferenceData
from amazon_sage_assets.sage.remote import SageRemote
from amazon_sage_assets.sage.tokens import Credentials
from amazon_sage_assets.sandbox.faults import Fault, Faults
from amazon_sage_assets.sandbox.sage200 import BASE, Books, Options, create_app
from amazon_sage_assets.sandbox.world import BANKS, CURRENCIES, CUSTOMERS, EURO_RATE, TAX_CODES
from amazon_sage_assets.settings import Secrets
from amazon_sage_assets_tests.conftest import Seller
from amazon_sage_assets_tests.served import serve

CLIENT_ID, SECRET = "tests", "a secret of the tests"
START = date(2026, 3, 2)
NOW = datetime(2026, 4, 1, 9, 0, tzinfo=UTC)
DAYS = 25  # documents are spread over so many days of March
QUIET = "/_sandbox/in_flight"
SAGE = """
[sage]
address = "{address}"
token_address = "{token_address}"
answer_within_seconds = {answer_within}
late_commit_seconds = {late_commit}

[sage.customers]
"Amazon.co.uk" = "AMZUK"
"""


class Watch:
    """Counts the requests that the server works on: at once, at most, and by their method and path.

    Work whose client is gone counts until it ends. `GET /_sandbox/in_flight` says how many there are.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.seen: Counter[str] = Counter()
        self.now = 0
        self.most = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith("/_sandbox/"):
            if scope["path"] == QUIET:
                await _say(send, self.now)
            else:
                await self.app(scope, receive, send)
            return
        self.seen[f"{scope['method']} {scope['path'].removeprefix(BASE)}"] += 1
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            await self.app(scope, receive, send)
        finally:
            self.now -= 1

    @property
    def documents(self) -> int:
        """How many requests brought a document."""
        return sum(n for name, n in self.seen.items() if name.startswith(("POST /bank_", "POST /sales_", "POST /sop_")))


async def _say(send: Send, number: int) -> None:
    await asyncio.sleep(0)
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(number).encode()})


@dataclass
class PostingWorld:
    """A company and the Sage that it posts to. `refresh_token` is what its person's sign-in gave."""

    folder: Path
    seller: Seller
    books: Books
    faults: Faults
    watch: Watch
    address: str
    refresh_token: str = field(repr=False)

    @property
    def company(self) -> Company:
        return self.seller.company

    @property
    def secrets(self) -> Secrets:
        return Secrets(
            sage_client_id=CLIENT_ID,
            sage_client_secret=SecretStr(SECRET),
            sage_refresh_token=SecretStr(self.refresh_token),
        )

    # Connecting

    def connection(self, state: Path | None = None, **changes: Any) -> Connection:
        """How a client of its own reaches this Sage."""
        credentials = Credentials(CLIENT_ID, SecretStr(SECRET), SecretStr(self.refresh_token))
        return Connection(
            **{
                "address": self.address + BASE,
                "token_address": f"{self.address}/oauth/token",
                "credentials": credentials,
                "state": state or self.company.environment.connections,
                "read_seconds": 10.0,
                **changes,
            }
        )

    @contextmanager
    def client(self, watch: Exchange | None = None) -> Iterator[SageClient]:
        with sage_client(self.company, self.secrets, watch) as client:
            yield client

    def post(self, **how: Any) -> Posted:
        """One posting run."""
        with self.client() as client:
            return post(self.company, client, **how)

    def strike(self, *faults: Fault, seed: int = 0) -> None:
        """From now on the way to Sage has these faults; none ends them."""
        self.faults.set(list(faults), seed)

    # Documents

    def queue(self, documents: Iterable[PlannedDocument], *, approved: bool = True) -> list[Message]:
        """Put planned documents into the outbox."""
        messages = [message_of(document) for document in documents]
        with self.company.warehouse.transaction() as connection:
            put(connection, messages, NOW, "planning")
            if approved:
                connection.execute(
                    "update outbox.messages set status = 'approved', approved_by = 'Ann', approved_at = $1,"
                    " approved_hash = payload_hash where status = 'planned'",
                    [datetime(2026, 4, 1, 9, 0)],
                )
        return messages

    def approve(self, *settlements: str) -> None:
        with self.company.warehouse.transaction() as connection:
            approve(connection, settlements, "Ann", datetime.now(UTC))

    # Knowing

    def rows(self, sql: str, parameters: Any = None) -> list[tuple[Any, ...]]:
        """Rows of the working warehouse."""
        with self.company.warehouse.read() as connection:
            return connection.execute(sql, parameters).fetchall()

    def statuses(self) -> Counter[str]:
        return Counter(dict(self.rows("select status, count(*) from outbox.messages group by status")))

    def events(self, message_key: str) -> list[str]:
        """What happened to a message, in order."""
        rows = self.rows(
            "select event from outbox.events where message_key = $1 order by happened_at, rowid", [message_key]
        )
        return [event for (event,) in rows]

    def ledger(self) -> dict[str, Any]:
        return ledger(self.books)


def ledger(books: Books) -> dict[str, Any]:
    """What Sage's reader sees, apart from the order in which it was posted."""
    names = ("kind", "reference", "second_reference", "bank", "customer", "date", "value")
    documents = sorted(tuple(str(document[name]) for name in names) for document in books.documents())
    return {"trial_balance": books.trial_balance(), "banks": books.bank_balances(), "documents": documents}


@contextmanager
def posting_world(
    folder: Path,
    options: Options | None = None,
    *,
    answer_within: float = 5.0,
    late_commit: float = 5.0,
    **profile: str,
) -> Iterator[PostingWorld]:
    """`options` are how this Sage behaves, `profile` fills the places of conftest's PROFILE."""
    folder.mkdir(parents=True, exist_ok=True)
    with Books(folder / "sage.sqlite", options or Options(latency_seconds=0)) as books:
        faults = Faults(create_app(books))
        watch = Watch(faults)
        with serve(watch) as address:
            sage = SAGE.format(
                address=address + BASE,
                token_address=f"{address}/oauth/token",
                answer_within=answer_within,
                late_commit=late_commit,
            )
            seller = Seller(folder, **{**profile, "bottom": profile.get("bottom", "") + sage})
            fill(books, seller.company.rules)
            yield PostingWorld(folder, seller, books, faults, watch, address, books.issue_refresh_token(CLIENT_ID))


def fill(books: Books, rules: RuleBook) -> None:
    """The records that the packaged rules name, and the year 2026."""
    codes = {account.account_key: account for account in rules.accounts}
    with books.together():
        books.add_client(CLIENT_ID, SECRET)
        for iso, (name, symbol) in CURRENCIES.items():
            is_base = iso == "GBP"
            books.add_currency(iso, name, symbol, Decimal(1) if is_base else EURO_RATE, is_base=is_base)
        for account in {a.nominal_code: a for a in rules.accounts}.values():
            books.add_nominal(account.nominal_code, account.name, account.cost_centre, account.department)
        for code, name, rate, notional in TAX_CODES:
            books.add_tax_code(code, name, Decimal(rate), notional=notional)
        for code, key, currency in BANKS:
            books.add_bank(code, codes[key].name, codes[key].nominal_code, currency)
        for reference, (name, currency) in CUSTOMERS.items():
            books.add_customer(reference, name, currency)
        books.add_year(date(2026, 1, 1))
        for key in ("previous_year", "future_year"):  # the tests are the same in any year
            books.change_setting(key, "Normal")


def planned(count: int, first: int = 0) -> list[PlannedDocument]:
    """Documents as the plan makes them, in turn a bank payment, a bank receipt, a sales receipt and a transfer."""
    return [_planned(number) for number in range(first, first + count)]


def _planned(number: int) -> PlannedDocument:
    gross = Decimal(1000 + 7 * number) / 100
    vat = (gross / 6).quantize(Decimal("0.01"))
    day = START + timedelta(days=number % DAYS)
    settlement = Settlement("uk", str(24_000_000_000 + number), "Amazon.co.uk", "GBP", day, day, gross)
    fee, sale = ("5100", "", "", "1"), ("4000", "", "", "1")
    name, movements = [
        ("fees", [Movement("1250", "ledger", fee, vat - gross, -vat, narrative="Amazon fees: Referral fees")]),
        ("sales", [Movement("1250", "ledger", sale, gross - vat, vat, narrative="Amazon sales: Sales UK")]),
        ("customer_receipts", [Movement("1250", "customer", ("Amazon.co.uk", "GBP"), gross)]),
        ("reserve_held", [Movement("1250", "transfer", ("1255",), -gross)]),
    ][number % 4]
    [document] = render(settlement, f"{day:%Y-%m}", name, day, movements)
    return document


def message_of(document: PlannedDocument, **changes: Any) -> Message:
    """The message of a document, due on its day."""
    values = {
        "message_key": document.message_key,
        "system": "sage",
        "kind": document.kind,
        "settlement_key": None,
        "document": document.document,
        "period": document.period,
        "document_date": document.document_date,
        "remote_reference": document.remote_reference,
        "amount": document.amount,
        "currency": document.currency,
        "payload": document.payload,
        "payload_hash": document.payload_hash,
        "due_at": datetime.combine(document.document_date, time(), UTC),
    }
    return Message(**{**values, **changes})


def undisturbed(folder: Path, documents: Sequence[PlannedDocument]) -> dict[str, Any]:
    """The ledger of another Sage to which the same documents were sent once each, with nothing in the way."""
    with posting_world(folder) as world, world.client() as client:
        records = ReferenceData.read(client, world.company.profile.sage.customers)
        remote = SageRemote(client, records, world.company.no_vat_code, "hold")
        for document in documents:
            remote.send(message_of(document))
        return world.ledger()
