"""The same money as Amazon's Finances interface (2024-06-19, listTransactions) tells it.

An order's money is held first (`DEFERRED`). Once it is let go there are two records: the held one, now
`DEFERRED_RELEASED`, and a `RELEASED` one that belongs to a settlement; each names the other. What is `RELEASED` with a
settlement's id adds up to that settlement's total, so never add the other two to it. Amounts are Decimal.
"""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import groupby
from typing import Any

from amazon_sage_assets.money import from_pence
from amazon_sage_assets.sandbox.sample_seller.catalogue import BY_SKU, Market
from amazon_sage_assets.sandbox.sample_seller.chance import lettered, scattered
from amazon_sage_assets.sandbox.sample_seller.charges import Charge, Line, refund_charges, sale_charges
from amazon_sage_assets.sandbox.sample_seller.orders import SampleItem, SampleOrder, SampleRefund
from amazon_sage_assets.sandbox.sample_seller.settlements import LENGTH, SampleReport

Record = dict[str, Any]

_GROUPS = {"Tax": "Tax", "ShippingTax": "Tax", "TaxDiscount": "Tax", "Shipping": "ShippingCharges"}
_BY_TYPE = {"ItemFees": "AmazonFees", "ItemWithheldTax": "TaxWithheld", "Promotion": "PromotionalRebates"}
_ACCOUNT_TYPES = {
    "Cost of Advertising": ("ProductAdsPayment", "Cost of Advertising"),
    "FBA Inventory Reimbursement": ("Adjustment", "FBA Inventory Reimbursement"),
    "Current Reserve Amount": ("ReserveDebit", "Reserve"),
    "Previous Reserve Amount Balance": ("ReserveCredit", "Reserve"),
    "Payable to Amazon": ("DebtRecovery", "Debt taken over"),
    "Successful charge": ("DebtRecovery", "Charge to the card"),
}


def records(reports: Sequence[SampleReport]) -> Iterator[Record]:
    """Every record of an account: orders in the order of their purchase, then the account's own rows."""
    book, first = reports[0].book, reports[0].start
    for order in book:
        yield from _sale(order, _report_at(reports, first, order.released_at))
        for refund in order.refunds:
            yield _refund(order, refund, _report_at(reports, first, refund.moment))
    for report in reports:
        for number, line in enumerate((*report.before, *report.after)):
            yield _account_row(report, number, line)


def to_json(value: object) -> str:
    """JSON in which a Decimal is a number with all its digits, as Amazon writes it."""
    text = json.dumps(value, default=lambda amount: f"\0{amount}\0", ensure_ascii=False, separators=(",", ":"))
    return re.sub(r'"\\u0000(-?[0-9.]+)\\u0000"', r"\1", text)


def _report_at(reports: Sequence[SampleReport], first: datetime, moment: datetime | None) -> SampleReport | None:
    """The settlement that a moment falls into; none after the last one."""
    if moment is None:
        return None
    place = (moment - first) // LENGTH
    return reports[place] if place < len(reports) else None


def _sale(order: SampleOrder, report: SampleReport | None) -> Iterator[Record]:
    if order.shipped_at is None or order.released_at is None:
        return
    held, released = _transaction_id(order.items[0], 1), _transaction_id(order.items[0], 2)
    content = _content(order, [(item, sale_charges(order, item), ()) for item in order.items])
    identifiers = _identifiers(ORDER_ID=order.order_id, SHIPMENT_ID=order.shipment_id)
    deferral = {
        "contextType": "DeferredContext",
        "deferralReason": "B2B" if order.is_business else "DD7",
        "maturityDate": _moment(order.released_at),
    }
    yield {
        **_head(order.market, "Shipment", held, "Order Payment", order.shipped_at),
        "relatedIdentifiers": identifiers + (_identifiers(RELEASE_TRANSACTION_ID=released) if report else []),
        "transactionStatus": "DEFERRED_RELEASED" if report else "DEFERRED",
        **content,
        "contexts": [deferral],
    }
    if report:
        yield {
            **_head(order.market, "Shipment", released, "Order Payment", order.released_at),
            "relatedIdentifiers": identifiers + _settled(report) + _identifiers(DEFERRED_TRANSACTION_ID=held),
            "transactionStatus": "RELEASED",
            **content,
            "contexts": [],
        }


def _refund(order: SampleOrder, refund: SampleRefund, report: SampleReport | None) -> Record:
    parts = [
        (item, refund_charges(order, item), _identifiers("itemRelatedIdentifier", ORDER_ADJUSTMENT_ITEM_ID=adjustment))
        for item, adjustment in zip(refund.items, refund.adjustment_item_ids, strict=True)
    ]
    identifiers = _identifiers(ORDER_ID=order.order_id, REFUND_ID=refund.refund_id)
    return {
        **_head(order.market, "Refund", _transaction_id(order.items[0], 3), "Refund Order", refund.moment),
        "relatedIdentifiers": identifiers + (_settled(report) if report else []),
        "transactionStatus": "RELEASED",
        **_content(order, parts),
        "contexts": [],
    }


def _account_row(report: SampleReport, number: int, line: Line) -> Record:
    kind, says = _ACCOUNT_TYPES.get(line.amount_type) or _ACCOUNT_TYPES.get(line.description) or ("ServiceFee", "")
    if line.description.startswith("Transfer of funds"):
        kind = "Transfer"
    name = line.amount_type if line.amount_type != "other-transaction" else line.description
    amount = _currency(report.currency, line.pence)
    return {
        **_head(report.book.market, kind, f"{report.settlement_id}-{number:04d}", says or name, line.moment),
        "relatedIdentifiers": _settled(report),
        "transactionStatus": "RELEASED",
        "totalAmount": amount,
        "items": [],
        "breakdowns": [{"breakdownType": line.description, "breakdownAmount": amount, "breakdowns": []}],
        "contexts": [],
    }


def _head(market: Market, kind: str, identity: str, description: str, posted: datetime) -> Record:
    return {
        "sellingPartnerMetadata": {
            "sellingPartnerId": market.seller_id,
            "accountType": "Standard Orders",
            "marketplaceId": market.marketplace_id,
        },
        "marketplaceDetails": {"marketplaceId": market.marketplace_id, "marketplaceName": market.marketplace},
        "transactionType": kind,
        "transactionId": identity,
        "description": description,
        "postedDate": _moment(posted),
    }


def _content(order: SampleOrder, parts: Sequence[tuple[SampleItem, list[Charge], Sequence[Record]]]) -> Record:
    items = []
    for item, charges, identifiers in parts:
        product = BY_SKU[item.sku]
        context = {
            "contextType": "ProductContext",
            "asin": product.asin,
            "sku": item.sku,
            "quantityShipped": item.quantity,
            "fulfillmentNetwork": order.fulfilment,
        }
        items.append({
            "description": product.title,
            "relatedIdentifiers": list(identifiers),
            "totalAmount": _currency(order.currency, sum(pence for _, _, pence in charges)),
            "breakdowns": _breakdowns(order.currency, charges),
            "contexts": [context],
        })  # fmt: skip
    every = [charge for _, charges, _ in parts for charge in charges]
    return {
        "totalAmount": _currency(order.currency, sum(pence for _, _, pence in every)),
        "items": items,
        "breakdowns": _breakdowns(order.currency, every),
    }


def _breakdowns(currency: str, charges: Iterable[Charge]) -> list[Record]:
    """The charges by kind; each kind says what it is made of."""
    ordered = sorted(((_group(charge), charge) for charge in charges), key=lambda pair: pair[0])
    found = []
    for name, pairs in groupby(ordered, key=lambda pair: pair[0]):
        leaves = [charge for _, charge in pairs]
        found.append({
            "breakdownType": name,
            "breakdownAmount": _currency(currency, sum(pence for _, _, pence in leaves)),
            "breakdowns": [
                {"breakdownType": says, "breakdownAmount": _currency(currency, pence), "breakdowns": []}
                for _, says, pence in leaves
            ],
        })  # fmt: skip
    return found


def _group(charge: Charge) -> str:
    amount_type, description, _ = charge
    if amount_type == "ItemPrice":
        return _GROUPS.get(description, "ProductCharges")
    return _GROUPS.get(description, "") if description == "TaxDiscount" else _BY_TYPE[amount_type]


def _settled(report: SampleReport) -> list[Record]:
    group = lettered(scattered(int(report.settlement_id), 18), 11)
    return _identifiers(FINANCIAL_EVENT_GROUP_ID=group, SETTLEMENT_ID=report.settlement_id)


def _identifiers(_prefix: str = "relatedIdentifier", **values: str) -> list[Record]:
    return [{f"{_prefix}Name": name, f"{_prefix}Value": value} for name, value in values.items()]


def _transaction_id(item: SampleItem, kind: int) -> str:
    return lettered(scattered(int(item.item_code) * 4 + kind, 18), 11)


def _currency(code: str, pence: int) -> dict[str, str | Decimal]:
    return {"currencyCode": code, "currencyAmount": from_pence(pence)}


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
