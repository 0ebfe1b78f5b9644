"""A company in the simulated Sage, and somebody who is signed in to it."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import simplejson

from amazon_sage_assets.sandbox.sage200 import BASE, Books, Options, create_app

CLIENT = {"client_id": "shop", "client_secret": "a secret of the test"}
NOMINALS = {
    "1100": "Debtors control",
    "1200": "Main bank",
    "1250": "Amazon wallet",
    "1251": "Amazon wallet EUR",
    "2200": "Output VAT",
    "2201": "Input VAT",
    "4000": "Sales",
    "5100": "Fees",
    "5130": "Advertising",
    "7900": "Exchange differences",
}


class Clock:
    """The time, which moves only when a test says so."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 12, 10, 2, 13, 110_000, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def later(self, **by: float) -> None:
        self.now += timedelta(**by)


class SageCompany:
    """Books with two banks in pounds, one in euro, two customers and the year 2026, behind their API."""

    def __init__(self, path: Path, **options: Any) -> None:
        self.path = path
        self.clock = Clock()
        self.options = Options(**{"latency_seconds": 0.0, **options})
        new = not path.exists()
        self.open()
        if new:
            self._seed()
        self.refresh_token = self.books.issue_refresh_token("shop")
        self.access_token = ""

    def open(self) -> None:
        self.books = Books(self.path, self.options, self.clock)
        self.app = create_app(self.books)

    def reopen(self) -> None:
        """The same file in another process."""
        self.books.close()
        self.open()

    def _seed(self) -> None:
        with self.books.together():
            add = self.books
            add.add_currency("GBP", "Pound Sterling", "£", Decimal(1), is_base=True)
            add.add_currency("EUR", "Euro", "€", Decimal("1.25"))
            for reference, name in NOMINALS.items():
                add.add_nominal(reference, name)
            add.add_cost_centre("LON", "London")
            add.add_department("WEB", "Web shop")
            add.add_nominal("5100", "Fees, web shop in London", "LON", "WEB")
            add.add_tax_code(0, "Exempt", Decimal(0))
            add.add_tax_code(1, "Standard rate", Decimal(20))
            add.add_tax_code(2, "Zero rated", Decimal(0))
            add.add_tax_code(16, "Services from abroad", Decimal(20), notional=True)
            add.add_bank("MAIN", "Main bank", "1200", "GBP")
            add.add_bank("WALLET", "Amazon wallet", "1250", "GBP")
            add.add_bank("WALLETE", "Amazon wallet EUR", "1251", "EUR")
            add.add_customer("WEB001", "Web shop customers", "GBP")
            add.add_customer("WEB002", "Web shop customers EUR", "EUR")
            add.add_year(date(2026, 1, 1))
            add.add_client(**CLIENT)

    def open_shop(self) -> "SageCompany":
        """Two warehouses, two products at 20 % and at nothing, one without a tax code, a courier and carriage."""
        with self.books.together():
            self.books.add_nominal("4010", "Sales of books")
            self.books.add_warehouse("HOME", "Our own warehouse")
            self.books.add_warehouse("AMAZONFBA")
            standard, zero = self.tax_id(1), self.tax_id(2)
            add = self.books.add_product
            held = {"HOME": Decimal(40), "AMAZONFBA": Decimal(5)}
            add("KETTLE", "Steel kettle", tax_code_id=standard, warehouses=held, list_price=Decimal("19.99"))
            add("BOOK", "On tea", tax_code_id=zero, nominal_reference="4010", warehouses={"HOME": Decimal(7)})
            add("MYSTERY", "Nobody knows its rate", tax_code_id=None, warehouses={"HOME": Decimal(1)})
            self.books.add_courier("Royal Mail", "https://track.example/")
            self.books.add_charge("CARRIAGE", "Carriage", Decimal("4.95"))
        return self

    def tax_id(self, code: int) -> int:
        """Without asking the server."""
        with self.books.store.reading() as db:
            return int(db.execute("select id from tax_codes where code = ?", (code,)).fetchone()[0])

    # Asking

    def send(self, method: str, url: str, **more: Any) -> httpx.Response:
        """A bare request, without any header of ours."""

        async def sent() -> httpx.Response:
            transport = httpx.ASGITransport(app=self.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://sage.test") as client:
                return await client.request(method, url, **more)

        return asyncio.run(sent())

    def token(self, **form: str) -> httpx.Response:
        return self.send("POST", "/oauth/token", data={**CLIENT, "grant_type": "refresh_token", **form})

    def headers(self) -> dict[str, str]:
        if not self.access_token:
            answer = self.token(refresh_token=self.refresh_token).json()
            self.access_token, self.refresh_token = answer["access_token"], answer["refresh_token"]
        return {
            "Authorization": f"Bearer {self.access_token}",
            "X-Site": "5b0c2f4e-0000-4000-8000-0a1b2c3d4e5f",
            "X-Company": "2",
        }

    def ask(self, path: str, **parameters: str) -> httpx.Response:
        return self.send(
            "GET", f"{BASE}/{path}", headers=self.headers(), params={f"${k}": v for k, v in parameters.items()}
        )

    def get(self, path: str, **parameters: str) -> Any:
        """What a GET finds; parameters without their dollar."""
        response = self.ask(path, **parameters)
        assert response.status_code == 200, response.text
        return parsed(response)

    def post(self, path: str, body: Any) -> httpx.Response:
        content = body if isinstance(body, bytes) else simplejson.dumps(body, use_decimal=True).encode()
        return self.send("POST", f"{BASE}/{path}", headers=self.headers(), content=content)

    def book(self, path: str, body: Mapping[str, Any]) -> int:
        """Post a document and say its URN."""
        response = self.post(path, body)
        assert response.status_code == 200, response.text
        return int(parsed(response)["urn"])

    def refuses(self, path: str, body: Any) -> str:
        """The words of a refusal, after which the books are as they were."""
        before = self.figures()
        response = self.post(path, body)
        assert response.status_code == 400, (response.status_code, response.text)
        assert self.figures() == before
        return str(response.json()["Message"])

    # Knowing

    def id(self, table: str, **names: Any) -> int:
        """The id of the one record with such a value."""
        [(name, value)] = names.items()
        [row] = [row for row in self.get(table) if row[name] == value]
        return int(row["id"])

    def bank(self, code: str) -> int:
        return self.id("banks", code=code)

    def tax(self, code: int) -> int:
        return self.id("tax_codes", code=code)

    def customer(self, reference: str = "WEB001") -> int:
        return self.id("customers", reference=reference)

    def product(self, code: str = "KETTLE") -> int:
        return self.id("products", code=code)

    def warehouse(self, name: str = "HOME") -> int:
        return self.id("warehouses", name=name)

    def goods(self, price: str, quantity: int = 1, code: str = "KETTLE", **more: Any) -> dict[str, Any]:
        """A line of an order that sells a product."""
        return {
            "line_type": "EnumLineTypeStandard",
            "product_id": self.product(code),
            "warehouse_id": self.warehouse(),
            "line_quantity": quantity,
            "selling_unit_price": Decimal(price),
            **more,
        }

    def order(self, *lines: Mapping[str, Any], number: str = "202-0000001-0000001", **more: Any) -> dict[str, Any]:
        """The body of a sales order."""
        return {
            "customer_id": self.customer(),
            "customer_document_no": number,
            "document_date": "2026-03-02T00:00:00Z",
            "lines": list(lines),
            **more,
        }

    def sell(self, *lines: Mapping[str, Any], path: str = "sop_orders", **more: Any) -> dict[str, Any]:
        """Post an order and say what Sage answers."""
        response = self.post(path, self.order(*lines, **more))
        assert response.status_code == 200, response.text
        return dict(parsed(response))

    def figures(self) -> tuple[Any, ...]:
        return self.books.trial_balance(), self.books.bank_balances(), self.books.documents()

    def ledger(self) -> dict[str, str]:
        """Accounts that moved, debit positive; proves that the ledger balances and that banks agree with it."""
        trial = self.books.trial_balance()
        assert sum(trial.values()) == 0
        for bank in self.get("banks"):
            account = (bank["bank_account_nominal_reference"], "", "")
            assert trial.get(account, 0) == bank["balance_in_base"], bank["code"]
            assert self.books.bank_balances()[bank["code"]] == bank["balance"]
        return {"/".join(key).rstrip("/"): str(amount) for key, amount in trial.items() if amount}


def parsed(response: httpx.Response) -> Any:
    """The answer with its decimals as written."""
    return simplejson.loads(response.text, use_decimal=True)
