"""Money on its way, from Amazon's finance APIs: payouts, balances, a settlement's summary, transactions.

Starting a payout is also offered there. It moves money, so nothing here can do it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from amazon_sage_assets.amazon.answers import (
    Fields,
    amount,
    listed,
    moment,
    optional_moment,
    optional_text,
    part,
    parts,
    required_amount,
    rows,
    stamp,
    text,
)
from amazon_sage_assets.amazon.client import SellingPartner
from amazon_sage_assets.amazon.errors import AmazonRefused, AmazonUnreadable, PayoutsUnavailable

PAYOUTS = "/finances/transfers/2024-06-01/payouts"
BALANCES = "/finances/2024-06-19/balances"
SUMMARY = "/finances/2024-06-19/summary"
TRANSACTIONS = "/finances/2024-06-19/transactions"
LONGEST_WINDOW = timedelta(days=180)  # beyond it Amazon answers with nothing, as if there were nothing
SETTLEMENT_ID = "SETTLEMENT_ID"


@dataclass(frozen=True)
class Payout:
    """A transfer to the seller's bank. `trace_id` is the bank's reference. Without a payout there is no amount."""

    id: str
    settlement_id: str | None
    status: str
    amount: Decimal | None
    currency: str | None
    account_tail: str | None
    trace_id: str | None
    created_at: datetime | None
    marketplace_id: str | None
    failure_reason: str | None


@dataclass(frozen=True)
class Balance:
    """What Amazon holds. TOTAL = AVAILABLE + RESERVED, and RESERVED = DEFERRED + ACCOUNT_LEVEL_RESERVE: `parts`."""

    kind: str
    amount: Decimal
    currency: str
    marketplace_id: str | None
    account_type: str | None
    parts: tuple["Balance", ...]


@dataclass(frozen=True)
class Breakdown:
    kind: str
    amount: Decimal
    currency: str
    parts: tuple["Breakdown", ...]


@dataclass(frozen=True)
class SettlementSummary:
    settlement_id: str
    net_proceeds: Decimal
    currency: str
    marketplace_id: str | None
    breakdowns: tuple[Breakdown, ...]


@dataclass(frozen=True)
class TransactionItem:
    description: str | None
    amount: Decimal | None
    currency: str | None
    sku: str | None
    quantity: int | None
    fulfilment: str | None
    identifiers: tuple[tuple[str, str], ...]
    breakdowns: tuple[Breakdown, ...]


@dataclass(frozen=True)
class Transaction:
    """One financial event. Cash is RELEASED alone; DEFERRED is held by Amazon; DEFERRED_RELEASED stands for neither."""

    id: str | None
    kind: str
    status: str | None
    description: str | None
    posted_at: datetime
    amount: Decimal
    currency: str
    marketplace_id: str | None
    deferral_reason: str | None
    matures_at: datetime | None
    identifiers: tuple[tuple[str, str], ...]
    items: tuple[TransactionItem, ...]
    breakdowns: tuple[Breakdown, ...]

    def identifier(self, name: str) -> str | None:
        return next((value for key, value in self.identifiers if key == name), None)


def payouts(partner: SellingPartner, created_since: datetime, marketplace_ids: Sequence[str] = ()) -> list[Payout]:
    """Payouts made since a moment. Raises PayoutsUnavailable where Amazon does not list them for this seller."""
    wanted = {"createdAfter": stamp(created_since), **_where(marketplace_ids)}
    try:
        return [
            _payout(fields)
            for page in partner.pages("listPayouts", PAYOUTS, wanted)
            for fields in rows(page, "payouts")
        ]
    except AmazonRefused as refusal:
        if refusal.status not in (403, 404) or refusal.is_about_the_token:
            raise
        raise PayoutsUnavailable(f"Payouts are not listed for this seller. {refusal}") from None


def balances(partner: SellingPartner, marketplace_ids: Sequence[str] = (), as_of: date | None = None) -> list[Balance]:
    """The balances of now, or those of a day."""
    wanted = _where(marketplace_ids) | ({"asOfDate": as_of.isoformat()} if as_of else {})
    pages = partner.pages("listBalances", BALANCES, wanted)
    return [_balance(fields, {}) for page in pages for fields in rows(page, "balances")]


def settlement_summary(partner: SellingPartner, settlement_id: str) -> SettlementSummary | None:
    """What a settlement came to. None while Amazon has no summary of it."""
    wanted = {"relatedIdentifierName": SETTLEMENT_ID, "relatedIdentifierValue": settlement_id}
    found = [row for page in partner.pages("listSummary", SUMMARY, wanted) for row in rows(page, "summaries")]
    if not found:
        return None
    if len(found) > 1:
        raise AmazonUnreadable(f"Amazon has {len(found)} summaries of settlement {settlement_id}, not one.")
    net, currency = required_amount(found[0], "netProceeds")
    return SettlementSummary(
        settlement_id=settlement_id,
        net_proceeds=net,
        currency=currency,
        marketplace_id=optional_text(part(found[0], "partnerMetadata"), "marketplaceId"),
        breakdowns=_breakdowns(found[0]),
    )


def transactions(
    partner: SellingPartner, posted_after: datetime, posted_before: datetime, marketplace_id: str | None = None
) -> Iterator[Transaction]:
    """What was posted from `posted_after` on and before `posted_before`, which must be two minutes past.

    Events may show up to 48 hours late. Long spans are asked for in windows that Amazon answers.
    """
    start = posted_after
    while start < posted_before:
        end = min(start + LONGEST_WINDOW, posted_before)
        wanted = {"postedAfter": stamp(start), "postedBefore": stamp(end)}
        if marketplace_id:
            wanted["marketplaceId"] = marketplace_id
        for page in partner.pages("listTransactions", TRANSACTIONS, wanted):
            for fields in rows(page, "transactions"):
                yield _transaction(fields)
        start = end


def _where(marketplace_ids: Sequence[str]) -> dict[str, str]:
    return {"marketplaceIds": listed(marketplace_ids)} if marketplace_ids else {}


def _payout(fields: Fields) -> Payout:
    money, currency = amount(fields, "amount") or (None, None)
    history = parts(fields, "statusHistory")
    related = (r for r in parts(fields, "relatedIdentifiers") if r.get("relatedIdentifierName") == SETTLEMENT_ID)
    return Payout(
        id=text(fields, "id"),
        settlement_id=next((text(r, "relatedIdentifierValue") for r in related), None),
        status=text(fields, "currentStatus"),
        amount=money,
        currency=currency,
        account_tail=optional_text(fields, "accountTail"),
        trace_id=optional_text(fields, "traceId"),
        created_at=optional_moment(fields, "creationDate"),
        marketplace_id=optional_text(part(fields, "partnerMetadata"), "marketplaceId"),
        failure_reason=next((r for e in reversed(history) if (r := optional_text(e, "failureReason"))), None),
    )


def _balance(fields: Fields, whole: Fields) -> Balance:
    """Parts of a balance leave the seller out; theirs is the whole's."""
    money, currency = required_amount(fields, "amount")
    partner = part(fields, "partnerMetadata") or whole
    return Balance(
        kind=text(fields, "balanceType"),
        amount=money,
        currency=currency,
        marketplace_id=optional_text(partner, "marketplaceId"),
        account_type=optional_text(partner, "accountType"),
        parts=tuple(_balance(inner, partner) for inner in parts(fields, "balances")),
    )


def _breakdowns(fields: Fields) -> tuple[Breakdown, ...]:
    found = []
    for inner in parts(fields, "breakdowns"):
        money, currency = required_amount(inner, "breakdownAmount")
        found.append(Breakdown(text(inner, "breakdownType"), money, currency, _breakdowns(inner)))
    return tuple(found)


def _context(fields: Fields, kind: str) -> Fields:
    return next((c for c in parts(fields, "contexts") if c.get("contextType") == kind), {})


def _identifiers(fields: Fields, prefix: str) -> tuple[tuple[str, str], ...]:
    return tuple(
        (text(entry, f"{prefix}Name"), text(entry, f"{prefix}Value")) for entry in parts(fields, "relatedIdentifiers")
    )


def _transaction(fields: Fields) -> Transaction:
    money, currency = required_amount(fields, "totalAmount")
    deferred = _context(fields, "DeferredContext")
    place = part(fields, "marketplaceDetails") or part(fields, "sellingPartnerMetadata")
    return Transaction(
        id=optional_text(fields, "transactionId"),
        kind=text(fields, "transactionType"),
        status=optional_text(fields, "transactionStatus"),
        description=optional_text(fields, "description"),
        posted_at=moment(fields, "postedDate"),
        amount=money,
        currency=currency,
        marketplace_id=optional_text(place, "marketplaceId"),
        deferral_reason=optional_text(deferred, "deferralReason"),
        matures_at=optional_moment(deferred, "maturityDate"),
        identifiers=_identifiers(fields, "relatedIdentifier"),
        items=tuple(_item(item) for item in parts(fields, "items")),
        breakdowns=_breakdowns(fields),
    )


def _item(fields: Fields) -> TransactionItem:
    money, currency = amount(fields, "totalAmount") or (None, None)
    product = _context(fields, "ProductContext")
    return TransactionItem(
        description=optional_text(fields, "description"),
        amount=money,
        currency=currency,
        sku=optional_text(product, "sku"),
        quantity=product.get("quantityShipped"),
        fulfilment=optional_text(product, "fulfillmentNetwork"),
        identifiers=_identifiers(fields, "itemRelatedIdentifier"),
        breakdowns=_breakdowns(fields),
    )
