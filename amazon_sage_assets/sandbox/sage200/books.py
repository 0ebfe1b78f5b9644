"""The books of one company: everything the simulated Sage remembers, and a person's way to it past the API."""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from amazon_sage_assets.money import from_pence
from amazon_sage_assets.sandbox.sage200 import (
    bodies,
    cash_book,
    journals,
    ledger,
    lookups,
    moments,
    periods,
    sales_ledger,
    sign_in,
    sop_bills,
    sop_bodies,
    sop_despatch,
    sop_orders,
    stock,
)
from amazon_sage_assets.sandbox.sage200.currencies import MILLION
from amazon_sage_assets.sandbox.sage200.defaults import ENUMERATIONS, SETTINGS
from amazon_sage_assets.sandbox.sage200.options import Options
from amazon_sage_assets.sandbox.sage200.refusals import Refused
from amazon_sage_assets.sandbox.sage200.sop_orders import Kind
from amazon_sage_assets.sandbox.sage200.store import Store, change_setting

# Each kind of document: its fields, and what books it.
DOCUMENTS: dict[str, tuple[bodies.Fields, Callable[[ledger.Desk, bodies.Body], int]]] = {
    "bank_payment": (bodies.BANK_DOCUMENT, cash_book.bank_payment),
    "bank_receipt": (bodies.BANK_DOCUMENT, cash_book.bank_receipt),
    "bank_transfer": (bodies.BANK_TRANSFER, cash_book.bank_transfer),
    "sales_invoices": (bodies.INVOICE, sales_ledger.sales_invoice),
    "sales_credit_notes": (bodies.CREDIT_NOTE, sales_ledger.sales_credit_note),
    "sales_receipts": (bodies.SALES_CASH, sales_ledger.sales_receipt),
    "sales_payments": (bodies.SALES_CASH, sales_ledger.sales_payment),
}


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Books:
    """A company in one SQLite file. Opened again after a kill, it is the same company.

    Only `options` are not in the file: whoever opens it says how the server behaves.
    """

    def __init__(self, path: Path, options: Options | None = None, now: Callable[[], datetime] = _utc_now) -> None:
        self.options = options or Options()
        self.now = now
        self.store = Store(path, today=lambda: moments.stored(now())[:10])
        self.store.prepare(SETTINGS, ENUMERATIONS)

    def close(self) -> None:
        self.store.close()

    def __enter__(self) -> "Books":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def together(self) -> AbstractContextManager[sqlite3.Connection]:
        """Many changes in one transaction, for a seeder with much to write: none of them stands if one fails."""
        return self.store.writing()

    # Seeding

    def add_currency(self, iso: str, name: str, symbol: str, rate: Decimal, *, is_base: bool = False) -> int:
        values = {"iso": iso, "name": name, "symbol": symbol, "rate": _scaled(rate, 6), "is_base": is_base}
        if is_base and values["rate"] != MILLION:
            raise ValueError(f"the base currency {iso} has the rate 1, not {rate}")
        return self._add("currencies", values)

    def add_cost_centre(self, code: str, name: str) -> int:
        return self._add("cost_centres", {"code": code, "name": name})

    def add_department(self, code: str, name: str) -> int:
        return self._add("departments", {"code": code, "name": name})

    def add_nominal(self, reference: str, name: str, cost_centre: str = "", department: str = "") -> int:
        values = {"reference": reference, "name": name, "cost_centre": cost_centre, "department": department}
        return self._add("nominal_codes", values)

    def add_tax_code(self, code: int, name: str, rate: Decimal, *, notional: bool = False) -> int:
        """`rate` in per cent: 20 for the standard rate."""
        return self._add("tax_codes", {"code": code, "name": name, "rate": _scaled(rate, 2), "notional": notional})

    def add_bank(
        self,
        code: str,
        name: str,
        nominal_reference: str,
        currency_iso: str,
        cost_centre: str = "",
        department: str = "",
    ) -> int:
        with self.store.writing() as db:
            account = lookups.nominal_id(db, nominal_reference, cost_centre, department, "nominal_reference")
            values = {"code": code, "name": name, "nominal_id": account, "currency_id": _currency(db, currency_iso)}
            return self._add("banks", values)

    def add_customer(
        self,
        reference: str,
        name: str,
        currency_iso: str,
        *,
        nominal_reference: str = "4000",
        tax_code_id: int | None = None,
    ) -> int:
        """`nominal_reference` and `tax_code_id` are for documents that name none."""
        with self.store.writing() as db:
            values = {
                "reference": reference,
                "name": name,
                "currency_id": _currency(db, currency_iso),
                "nominal_reference": nominal_reference,
                "tax_code_id": tax_code_id,
            }
            return self._add("customers", values)

    def add_warehouse(self, name: str, description: str = "") -> int:
        _fits("name", name, 20)
        return self._add("warehouses", {"name": name, "description": description})

    def add_product(
        self,
        code: str,
        name: str,
        *,
        tax_code_id: int | None,
        nominal_reference: str = "4000",
        warehouses: Mapping[str, Decimal] | None = None,
        list_price: Decimal = Decimal(0),
        description: str = "",
        barcode: str = "",
    ) -> int:
        """`warehouses` says where it is held and how much of it; without it, everywhere and nothing."""
        for field, value, longest in (("code", code, 30), ("name", name, 60), ("barcode", barcode, 60)):
            _fits(field, value, longest)
        with self.store.writing() as db:
            values = {
                "code": code,
                "name": name,
                "description": description,
                "barcode": barcode,
                "tax_code_id": tax_code_id,
                "nominal_id": lookups.nominal_id(db, nominal_reference, "", "", "nominal_reference"),
                "list_price": _scaled(list_price, 5),
            }
            product_id = self._add("products", values)
            if warehouses is None:
                warehouses = {row["name"]: Decimal(0) for row in db.execute("select name from warehouses")}
            for warehouse, quantity in warehouses.items():
                self.set_stock(code, warehouse, quantity)
            return product_id

    def change_product_tax_code(self, code: str, tax_code_id: int | None) -> None:
        with self.store.writing() as db:
            product = lookups.by_name(db, "products", "code", code, "code")
            db.execute(
                "update products set tax_code_id = ?, updated = ? where id = ?",
                (tax_code_id, moments.stored(self.now()), product["id"]),
            )

    def set_stock(self, code: str, warehouse: str, quantity: Decimal) -> None:
        """So much lies there now, whatever was there before."""
        with self.store.writing() as db:
            product = lookups.by_name(db, "products", "code", code, "code")
            place = lookups.by_name(db, "warehouses", "name", warehouse, "warehouse")
            stock.add_holding(db, product["id"], place["id"], _scaled(quantity, 5), moments.stored(self.now()))

    def add_courier(self, name: str, tracking_url: str = "", website: str = "", *, is_default: bool = False) -> int:
        """`tracking_url` is what the consignment number is put behind."""
        _fits("name", name, 60)
        values = {"name": name, "tracking_url": tracking_url, "website": website, "is_default": is_default}
        return self._add("couriers", values)

    def add_charge(
        self,
        code: str,
        name: str,
        value: Decimal = Decimal(0),
        *,
        nominal_reference: str = "4000",
        tax_code_id: int | None = None,
    ) -> int:
        """An additional charge, such as carriage, that charge lines of orders name by its code."""
        _fits("code", code, 20)
        with self.store.writing() as db:
            values = {
                "code": code,
                "name": name,
                "value": _scaled(value, 2),
                "nominal_id": lookups.nominal_id(db, nominal_reference, "", "", "nominal_reference"),
                "tax_code_id": tax_code_id,
            }
            return self._add("additional_charges", values)

    def _add(self, table: str, values: Mapping[str, Any]) -> int:
        row = {**values, "created": moments.stored(self.now()), "updated": moments.stored(self.now())}
        places = ", ".join(f":{name}" for name in row)
        with self.store.writing() as db:
            statement = f"insert into {table} ({', '.join(row)}) values ({places}) returning id"
            return int(db.execute(statement, row).fetchone()[0])

    def change_setting(self, key: str, value: str) -> None:
        """A setting of the company (see defaults.py), such as the classification of a closed period."""
        with self.store.writing() as db:
            change_setting(db, key, value)

    # Periods

    def add_year(self, start: date) -> int:
        with self.store.writing() as db:
            return periods.add_year(db, start)

    def close_period(self, start: date) -> None:
        self._set_closed(start, closed=True)

    def open_period(self, start: date) -> None:
        self._set_closed(start, closed=False)

    def _set_closed(self, start: date, *, closed: bool) -> None:
        with self.store.writing() as db:
            changed = db.execute("update periods set closed = ? where start = ?", (closed, moments.stored_day(start)))
            if not changed.rowcount:
                raise ValueError(f"no period starts on {start}")
            if self.options.nominal_online:
                ledger.update_nominal(db)

    def update_nominal(self) -> int:
        """The batch update of the nominal ledger; how many postings it took."""
        with self.store.writing() as db:
            return ledger.update_nominal(db)

    # Sign-in

    def add_client(self, client_id: str, client_secret: str) -> None:
        with self.store.writing() as db:
            sign_in.add_client(db, client_id, client_secret)

    def issue_refresh_token(self, client_id: str) -> str:
        """What a person's first sign-in would give."""
        with self.store.writing() as db:
            return sign_in.issue(db, "refresh", client_id, self.now() + sign_in.REFRESH_LIFE)

    def expire_access_tokens(self) -> None:
        """Every access token is over; refresh tokens stay good."""
        with self.store.writing() as db:
            db.execute("update tokens set state = 'dead' where kind = 'access'")

    # Documents

    def enter(self, kind: str, body: object, user_name: str = "api", source: str = "") -> int:
        """Book a document and say its URN. It is on the disk when this returns. Raises Refused."""
        fields, book = DOCUMENTS[kind]
        try:
            with self._desk(user_name, source) as desk:
                return book(desk, bodies.checked(body, fields, self.options))
        except OverflowError:  # a rate that makes a fortune of a penny
            raise Refused("A value of the document is out of range.") from None

    def enter_by_hand(self, kind: str, body: object, user_name: str = "SARAH", source: str = "") -> int:
        """A document that a person enters at the desk, or that a bank feed brings (source `LedgerBankFeeds`)."""
        return self.enter(kind, body, user_name, source)

    def import_journal(self, text: str, user_name: str = "SARAH", suspense: str = "2250") -> int:
        """A journal file that a person imports at the desk; its URN. Raises Refused when it does not balance."""
        with self._desk(user_name, "") as desk:
            return journals.import_journal(desk, text, suspense)

    def enter_sop(self, kind: Kind, body: object) -> int:
        """Book a sales order or a sales return and say its id. Raises Refused."""
        with self._desk("api", "") as desk:
            return sop_orders.enter(desk, kind, bodies.checked(body, sop_bodies.SOP_ORDER, self.options))

    def confirm_despatch(self, body: object) -> str:
        """The despatch that the API asks for; its number."""
        with self._desk("api", "") as desk:
            return sop_despatch.confirm(desk, bodies.checked(body, sop_bodies.CONFIRM_DESPATCH, self.options))

    # Sales orders at the desk

    def despatch(
        self,
        order: str,
        courier: str = "",
        consignment_no: str = "",
        day: date | None = None,
        lines: Mapping[str, Decimal] | None = None,
    ) -> str:
        """Pick and despatch an order, named by Sage's number or the customer's; the number of the despatch.

        Everything that is left of it, or the quantity of each stock code in `lines`. Raises Refused.
        """
        with self._desk("SARAH", "") as desk:
            document = sop_orders.find(desk.db, "order", order)
            tracking: bodies.Body = {"consignment_no": consignment_no}
            if courier:
                tracking["courier_id"] = lookups.by_name(desk.db, "couriers", "name", courier, "courier")["id"]
            wanted = sop_despatch.all_that_is_left(desk.db, document, lines)
            return sop_despatch.move_goods(desk, document, wanted, self._day(day), tracking)

    def invoice_orders(self, day: date | None = None, order_ids: Iterable[int] | None = None) -> list[str]:
        """Print and post the invoices of all that was despatched; dated as the despatch, or on `day`. Their numbers."""
        with self._desk("SARAH", "LedgerSOP") as desk:
            return sop_bills.bill_all(desk, "order", day, order_ids)

    def cancel_order(self, order: str) -> None:
        """Raises Refused for an order of which goods have left."""
        with self._desk("SARAH", "") as desk:
            sop_orders.cancel(desk, sop_orders.find(desk.db, "order", order))

    def receive_return(
        self, sales_return: str, day: date | None = None, lines: Mapping[str, Decimal] | None = None
    ) -> str:
        """Goods of a return are back in the warehouse; the number of the receipt. Raises Refused."""
        with self._desk("SARAH", "") as desk:
            document = sop_orders.find(desk.db, "return", sales_return)
            wanted = sop_despatch.all_that_is_left(desk.db, document, lines)
            return sop_despatch.move_goods(desk, document, wanted, self._day(day), {})

    def credit_returns(self, day: date | None = None, return_ids: Iterable[int] | None = None) -> list[str]:
        """Print and post the credit notes of all that was received; their numbers."""
        with self._desk("SARAH", "LedgerSOP") as desk:
            return sop_bills.bill_all(desk, "return", day, return_ids)

    def _day(self, day: date | None) -> str:
        return moments.stored_day(day or moments.day_of(moments.stored(self.now())))

    # More documents of the API

    def allocate(self, body: object) -> None:
        with self._desk("api", "") as desk:
            sales_ledger.allocate(desk, bodies.checked(body, bodies.ALLOCATION, self.options))

    def classify(self, body: object) -> tuple[str, str]:
        """How the company's rules class a date. Raises Refused for an unknown ledger."""
        question = bodies.checked(body, bodies.DATE_QUESTION, self.options)
        with self.store.reading() as db:
            lookups.ledger_type(db, question.get("ledger_type", "LedgerNominal"))
            return periods.classify(db, moments.day_of(question["date"]), moments.day_of(moments.stored(self.now())))

    @contextmanager
    def _desk(self, user_name: str, source: str) -> Iterator[ledger.Desk]:
        with self.store.writing() as db:
            yield ledger.Desk(db, self.options, self.now(), user_name, source)

    def reconcile_bank_entry(self, entry_id: int, statement_date: date, page: int) -> None:
        """Tick an entry off against a bank statement."""
        with self.store.writing() as db:
            changed = db.execute(
                "update bank_entries set statement_date = ?, statement_page = ?, updated = ? where id = ?",
                (moments.stored_day(statement_date), page, moments.stored(self.now()), entry_id),
            )
            if not changed.rowcount:
                raise ValueError(f"there is no bank entry {entry_id}")

    # What is true, for drills

    def trial_balance(self) -> dict[tuple[str, str, str], Decimal]:
        """Debit less credit per account, cost centre and department, in base currency. What waits is not in it."""
        with self.store.reading() as db:
            rows = db.execute(
                "select c.reference, c.cost_centre, c.department, sum(n.debit - n.credit) from nominal_entries n "
                "join nominal_codes c on c.id = n.nominal_id group by c.id order by 1, 2, 3"
            ).fetchall()
        return {(row[0], row[1], row[2]): from_pence(row[3]) for row in rows}

    def bank_balances(self) -> dict[str, Decimal]:
        """By bank code, in the currency of the bank."""
        with self.store.reading() as db:
            rows = db.execute(
                "select b.code, coalesce(sum(e.direction * e.value), 0) from banks b "
                "left join bank_entries e on e.bank_id = b.id group by b.id order by b.code"
            ).fetchall()
        return {row[0]: from_pence(row[1]) for row in rows}

    def sop_orders(self, kind: Kind = "order") -> list[dict[str, Any]]:
        """Every sales order or return, oldest first; money in its currency, states as plain words."""
        with self.store.reading() as db:
            rows = db.execute(
                "select o.*, c.reference as customer from sop_documents o join customers c on c.id = o.customer_id "
                "where o.kind = ? order by o.id",
                (kind,),
            ).fetchall()
        return [
            {
                **{name: row[name] for name in ("id", "document_no", "customer_document_no", "customer")},
                "date": row["document_date"][:10],
                "net": from_pence(row["net"]),
                "vat": from_pence(row["tax"]),
                "gross": from_pence(row["net"] + row["tax"]),
                "status": row["document_status"].removeprefix("EnumDocumentStatus"),
                "despatched": row["despatch_status"].removeprefix("EnumDocumentProcessStatus"),
                "invoiced": row["invoice_status"].removeprefix("EnumDocumentProcessStatus"),
            }
            for row in rows
        ]

    def stock(self) -> dict[tuple[str, str], Decimal]:
        """What lies where, by stock code and warehouse."""
        with self.store.reading() as db:
            rows = db.execute(
                "select p.code, w.name, h.in_stock from warehouse_holdings h join products p on p.id = h.product_id "
                "join warehouses w on w.id = h.warehouse_id order by 1, 2"
            ).fetchall()
        return {(row[0], row[1]): Decimal(row[2]).scaleb(-5) for row in rows}

    def despatches(self) -> list[dict[str, Any]]:
        """Every despatch of a sales order, oldest first, by the customer's number of the order."""
        with self.store.reading() as db:
            rows = db.execute(
                "select e.document_no, o.customer_document_no, e.despatch_date, e.user_name from sop_despatches e "
                "join sop_documents o on o.id = e.document_id where o.kind = 'order' order by e.id"
            ).fetchall()
        return [{**dict(row), "despatch_date": row["despatch_date"][:10]} for row in rows]

    def sales_entries(self) -> list[dict[str, Any]]:
        """The sales ledger, oldest first: `value` and `outstanding` above nil where the customer owes."""
        with self.store.reading() as db:
            rows = db.execute(
                "select s.id, s.urn, s.source, s.reference, s.second_reference, c.reference as customer, "
                "s.sign * (s.goods + s.tax) as value, s.sign * (s.goods + s.tax - s.allocated) as outstanding "
                "from sales_entries s join customers c on c.id = s.customer_id order by s.id"
            ).fetchall()
        amounts = ("value", "outstanding")
        return [{**dict(row), **{name: from_pence(row[name]) for name in amounts}} for row in rows]

    def documents(self) -> list[dict[str, Any]]:
        """Every document, by rising URN; `date` as `YYYY-MM-DD`, `value` in the currency of the document."""
        with self.store.reading() as db:
            rows = db.execute(
                "select d.*, b.code as bank, c.reference as customer from documents d left join banks b "
                "on b.id = d.bank_id left join customers c on c.id = d.customer_id order by d.urn"
            ).fetchall()
        return [
            {
                **{name: row[name] for name in ("kind", "urn", "reference", "second_reference", "user_name", "source")},
                "bank": row["bank"] or "",
                "customer": row["customer"] or "",
                "date": row["transaction_date"][:10],
                "value": from_pence(row["value"]),
            }
            for row in rows
        ]


def _scaled(value: Decimal, places: int) -> int:
    scaled = Decimal(value).scaleb(places)
    if scaled != scaled.to_integral_value() or scaled < 0:
        raise ValueError(f"{value} is not a positive number of at most {places} decimals")
    return int(scaled)


def _fits(field: str, value: str, longest: int) -> None:
    if not 0 < len(value) <= longest and (value or field != "barcode"):
        raise ValueError(f"{field} '{value}' must have 1 to {longest} characters")


def _currency(db: sqlite3.Connection, iso: str) -> int:
    row = db.execute("select id from currencies where iso = ?", (iso,)).fetchone()
    if row is None:
        raise ValueError(f"there is no currency {iso}")
    return int(row[0])
