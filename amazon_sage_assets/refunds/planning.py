"""What refunds become in Sage: one credit note or sales return each, at the VAT of the sale, when Sage has the order.

A credit note lowers output VAT, so it waits for approval like everything that reaches the ledger. Where the profile
asks for sales returns and the Sage site has them, people in Sage take goods back and print the credit notes.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal

import duckdb

from amazon_sage_assets.accounting.credit_plan import (
    CREDIT_NOTE,
    MARKS,
    SALES_RETURN,
    RefundedItem,
    credit_note,
    sales_return,
)
from amazon_sage_assets.accounting.order_plan import DoesNotFit, RoundingRule, StockPart
from amazon_sage_assets.accounting.posting_plan import Ledger
from amazon_sage_assets.accounting.sales_documents import SalesDocument
from amazon_sage_assets.company import Company
from amazon_sage_assets.outbox.sales import plan_anew
from amazon_sage_assets.outbox.store import approve_documents
from amazon_sage_assets.settings import BY_PROFILE
from amazon_sage_assets.tables import insert_frame

DOCUMENTS = (CREDIT_NOTE, SALES_RETURN)
NOTHING = Decimal("0.00")

# Refunds of orders that Sage has, with how each item was sold when its order was sent. A refund that names no SKU of
# the order goes with the order's largest item.
_REFUNDS = """
with sold as (
    select order_id, order_item_id, seller_sku, account_key, sage_tax_code, rate_bp, gross
    from outbox.covered_items
    union all by name
    -- Orders that went before it was kept how each item was sold.
    select i.order_id, i.order_item_id, i.seller_sku, i.account_key, i.sage_tax_code, i.rate_bp, i.due_gross as gross
    from core.core__order_items as i
    where i.order_id not in (select order_id from outbox.covered_items)
),
ranked as (
    select *, row_number() over (partition by order_id order by gross desc, order_item_id) as rank from sold
),
by_sku as (
    select distinct on (order_id, seller_sku) * from ranked order by order_id, seller_sku, rank
),
goods as (
    select account, marketplace, seller_sku, list((stock_code, units) order by stock_code) as parts
    from core.core__sku_matches
    group by all
)
select
    r.account, r.order_id, r.refund_id, r.refunded_day, o.marketplace, r.currency, o.fulfilment, r.seller_sku,
    r.gross, r.vat, coalesce(s.rate_bp, l.rate_bp), coalesce(s.sage_tax_code, l.sage_tax_code),
    coalesce(g.parts, []), a.nominal_code, a.cost_centre, a.department, a.name
from core.core__refunds as r
inner join (select distinct order_id from core.core__booked_orders) as n on r.order_id = n.order_id
inner join core.core__orders as o on r.order_id = o.order_id
left join by_sku as s on r.order_id = s.order_id and r.seller_sku = s.seller_sku
left join ranked as l on r.order_id = l.order_id and l.rank = 1
left join goods as g on r.account = g.account and o.marketplace = g.marketplace and r.seller_sku = g.seller_sku
left join control.ledger_accounts as a on coalesce(s.account_key, l.account_key) = a.account_key
order by r.order_id, r.refunded_day, r.refund_id, r.seller_sku, r.adjustment_item_id
"""
# Units that came back fit for sale.
_BACK = """
select order_id, seller_sku, sum(returned_units)::integer
from raw.amazon_returns
where upper(disposition) in ('SELLABLE', 'RECEIVED') and returned_units > 0
group by all
"""
_TAKEN_BACK = """
select m.order_id, u.key, cast(u.value as integer)
from outbox.messages as m, json_each(m.payload, '$.units') as u
where m.document = 'sales_return' and (m.status in ('delivered', 'sending') or m.remote_id is not null)
"""


@dataclass(frozen=True)
class _Refund:
    """One refund of an order. `key` is its message's."""

    key: str
    order_id: str
    marketplace: str
    currency: str
    fulfilment: str
    day: date
    items: list[RefundedItem] = field(default_factory=list)

    @property
    def gross(self) -> Decimal:
        return sum((item.gross for item in self.items), NOTHING)

    @property
    def trouble(self) -> str:
        """Why no document can say it, or nothing."""
        if self.gross > 0 and all(item.gross >= 0 for item in self.items):
            return ""
        return f"its items come to {', '.join(str(item.gross) for item in self.items)}, which no credit note can say"


def plan_refunds(connection: duckdb.DuckDBPyConnection, company: Company, now: datetime) -> int:
    """Bring the documents of refunds that are not in Sage yet up to date. Returns how many wait. One transaction."""
    connection.execute("delete from core.document_problems where entity_type = 'refund'")
    sent, numbers = _sent(connection), _numbers(connection)
    planned: list[SalesDocument] = []
    problems: list[tuple[str, str, str, str, str]] = []

    def odd(refund: _Refund, why: str, code: str = "REFUND_ODD") -> None:
        problems.append(("refund", refund.key, code, refund.order_id, why))

    returns = _Returns.read(connection, company)
    for refund in _refunds(connection):
        if refund.key in sent:
            if sent[refund.key] != refund.gross:
                why = f"Amazon tells {refund.gross} {refund.currency} now, and {sent[refund.key]} went to Sage"
                odd(refund, why, "REFUND_CHANGED")
            continue
        if refund.trouble:
            odd(refund, refund.trouble)
            continue
        known = numbers.setdefault(refund.order_id, {})
        number = known.setdefault(refund.key, max(known.values(), default=0) + 1)
        if number > len(MARKS):
            odd(refund, f"the order has more than {len(MARKS)} refunds")
            continue
        try:
            planned.append(returns.planned(refund, number) if returns.wanted else _credit_note(refund, number))
        except DoesNotFit as error:
            odd(refund, str(error))
    insert_frame(connection, "core.document_problems", problems)
    plan_anew(connection, DOCUMENTS, planned, now, "the refund is no longer told")
    if company.profile.posting == "auto":
        approve_documents(connection, DOCUMENTS, BY_PROFILE, now)
    return len(planned)


def _refunds(connection: duckdb.DuckDBPyConnection) -> list[_Refund]:
    found: dict[str, _Refund] = {}
    for (
        account, order_id, refund_id, day, site, currency, fulfilment, sku, gross, vat, rate_bp, tax_code, parts,
        *ledger,
    ) in connection.execute(_REFUNDS).fetchall():  # fmt: skip
        key = f"{account}/refund/{order_id}/{refund_id}"
        refund = found.setdefault(key, _Refund(key, order_id, site, currency, fulfilment, day))
        text = " ".join(filter(None, ("Amazon refund", order_id, sku)))
        account_of = Ledger(*(part or "" for part in ledger))
        stock = tuple(StockPart(code, units) for code, units in parts)
        refund.items.append(RefundedItem(gross, vat, rate_bp or 0, tax_code or "", account_of, text, sku, stock))
    return list(found.values())


def _credit_note(refund: _Refund, number: int) -> SalesDocument:
    return credit_note(
        refund.key, refund.order_id, refund.marketplace, refund.currency, refund.day, number, refund.items
    )


@dataclass
class _Returns:
    """`back`: units that are back and on no sales return yet, by order and SKU."""

    wanted: bool
    rule: RoundingRule
    back: dict[tuple[str, str], int]

    @classmethod
    def read(cls, connection: duckdb.DuckDBPyConnection, company: Company) -> "_Returns":
        rules = company.profile.orders
        rule = RoundingRule(company.rounding_account, company.no_vat_code, rules.tolerance, rules.negative_rounding)
        site = connection.execute("select has_returns from raw.sage_site").fetchone()
        if rules.refunds != "sop_return" or not site or not site[0]:
            return cls(False, rule, {})
        back = {(order_id, sku): units for order_id, sku, units in connection.execute(_BACK).fetchall()}
        for order_id, sku, units in connection.execute(_TAKEN_BACK).fetchall():
            back[order_id, sku] = back.get((order_id, sku), 0) - units
        return cls(True, rule, back)

    def planned(self, refund: _Refund, number: int) -> SalesDocument:
        """Raises DoesNotFit."""
        items: Sequence[RefundedItem] = [self._with_goods(refund.order_id, item) for item in refund.items]
        return sales_return(
            refund.key, refund.order_id, refund.marketplace, refund.currency, refund.day, number, items,
            refund.fulfilment, self.rule,
        )  # fmt: skip

    def _with_goods(self, order_id: str, item: RefundedItem) -> RefundedItem:
        units = self.back.pop((order_id, item.seller_sku), 0) if item.parts else 0
        return item if units <= 0 else replace(item, units=units)


def _sent(connection: duckdb.DuckDBPyConnection) -> dict[str, Decimal]:
    """What of each refund went to Sage."""
    rows = connection.execute(
        "select message_key, amount from outbox.messages where list_contains($1::varchar[], document)"
        " and (status in ('delivered', 'sending') or remote_id is not null)",
        [list(DOCUMENTS)],
    ).fetchall()
    return dict(rows)


def _numbers(connection: duckdb.DuckDBPyConnection) -> dict[str, dict[str, int]]:
    """Which number each document of an order's refunds has: a number once given stays."""
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for key, order_id, mark in connection.execute(
        "select message_key, order_id, right(remote_reference, 1) from outbox.messages"
        " where list_contains($1::varchar[], document)",
        [list(DOCUMENTS)],
    ).fetchall():
        found[order_id][key] = MARKS.index(mark) + 1
    return found
