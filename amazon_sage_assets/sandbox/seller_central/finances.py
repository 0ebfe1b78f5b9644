"""The finance APIs: transactions, balances and summaries 2024-06-19, payouts (transfers) 2024-06-01."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from amazon_sage_assets.sandbox.seller_central.answers import forbidden, invalid, marketplaces, moment, parameters
from amazon_sage_assets.sandbox.seller_central.database import Json
from amazon_sage_assets.sandbox.seller_central.paging import page
from amazon_sage_assets.sandbox.seller_central.store import (
    BALANCES,
    NOW,
    PAYOUT,
    SUMMARY,
    TRANSACTION,
    Seller,
    SellerCentral,
)

SETTLING = timedelta(minutes=2)
LONGEST_WINDOW = timedelta(days=180)
FINDS_TRANSACTIONS = ("ORDER_ID", "FINANCIAL_EVENT_GROUP_ID")


def list_transactions(store: SellerCentral, seller: Seller, request: Request) -> Response:
    query, latest = request.query_params, store.now() - SETTLING
    after, before = moment(query, "postedAfter"), moment(query, "postedBefore")
    name, value = query.get("relatedIdentifierName"), query.get("relatedIdentifierValue")
    if (name is None) != (value is None) or (name is not None and name not in FINDS_TRANSACTIONS):
        raise invalid("Invalid relatedIdentifierName or relatedIdentifierValue.")
    if after is None and name is None:
        raise invalid("postedAfter or a related identifier is required.")
    if max(after or latest, before or latest) > latest:
        raise invalid("postedAfter and postedBefore must be at least two minutes in the past.")
    if after and before and before <= after:
        raise invalid("postedBefore must be later than postedAfter.")
    end, places, status = before or latest, marketplaces(query), query.get("transactionStatus")
    if after and end - after > LONGEST_WINDOW:
        found = []
    else:
        found = [
            transaction
            for _, transaction in store.records(TRANSACTION, seller.name, after=after, before=end)
            if (name is None or _is_related(transaction, name, value))
            and (status is None or transaction.get("transactionStatus") == status)
            and (not places or _marketplace(transaction, "sellingPartnerMetadata") in places)
        ]
    payload = _paged(store, seller, request, "listTransactions", "transactions", found)
    return JSONResponse({"payload": payload})


def list_balances(store: SellerCentral, seller: Seller, request: Request) -> Response:
    query, places = request.query_params, marketplaces(request.query_params)
    as_of, kind, account = query.get("asOfDate"), query.get("balanceType"), query.get("accountType")
    if as_of is not None:
        _day(as_of, "asOfDate")
    kept = store.records(BALANCES, seller.name, id=as_of or NOW)
    found = [
        balance
        for _, record in kept
        for whole in record["balances"]
        for balance in _balances(whole, kind)
        if (not places or _marketplace(balance, "partnerMetadata") in places)
        and (account is None or balance.get("partnerMetadata", {}).get("accountType") == account)
    ]
    return JSONResponse(_paged(store, seller, request, "listBalances", "balances", found))


def list_summary(store: SellerCentral, seller: Seller, request: Request) -> Response:
    query, places = request.query_params, marketplaces(request.query_params)
    name, settlement = query.get("relatedIdentifierName"), query.get("relatedIdentifierValue")
    if (name is None) != (settlement is None) or name not in (None, "SETTLEMENT_ID"):
        raise invalid("Invalid relatedIdentifierName or relatedIdentifierValue.")
    start, end = (_day(query.get(key), key) for key in ("periodStart", "periodEnd"))
    found = [
        summary
        for _, summary in store.records(SUMMARY, seller.name, id=settlement)
        if (not places or _marketplace(summary, "partnerMetadata") in places)
        and (start is None or datetime.fromisoformat(summary["periodStart"]).date() >= start)
        and (end is None or datetime.fromisoformat(summary["periodEnd"]).date() <= end)
    ]
    return JSONResponse(_paged(store, seller, request, "listSummary", "summaries", found))


def list_payouts(store: SellerCentral, seller: Seller, request: Request) -> Response:
    if not seller.has_payouts:
        raise forbidden()
    query, places = request.query_params, marketplaces(request.query_params)
    after, before = moment(query, "createdAfter"), moment(query, "createdBefore")
    account = query.get("accountType")
    found = [
        payout
        for created, payout in store.records(PAYOUT, seller.name, id=query.get("payoutId"), after=after, before=before)
        if created <= store.now()
        and (not places or _marketplace(payout, "partnerMetadata") in places)
        and (account is None or payout["partnerMetadata"]["accountType"] == account)
    ]
    return JSONResponse(_paged(store, seller, request, "listPayouts", "payouts", found))


def _paged(
    store: SellerCentral, seller: Seller, request: Request, operation: str, name: str, rows: list[Json]
) -> dict[str, Any]:
    token = request.query_params.get("nextToken")
    shown, following = page(store, seller.name, operation, parameters(request.query_params), token, rows)
    return {name: shown} if following is None else {name: shown, "nextToken": following}


def _is_related(transaction: Json, name: str, value: str | None) -> bool:
    links = transaction.get("relatedIdentifiers", ())
    return any(link["relatedIdentifierName"] == name and link["relatedIdentifierValue"] == value for link in links)


def _marketplace(record: Json, metadata: str) -> str | None:
    found: str | None = record.get(metadata, {}).get("marketplaceId")
    return found


def _balances(balance: Json, kind: str | None) -> Iterator[Json]:
    """The whole tree, or each branch of one kind with the metadata of its tree."""
    if kind is None or balance["balanceType"] == kind:
        yield balance
        return
    for part in balance.get("balances", ()):
        yield from _balances({"partnerMetadata": balance.get("partnerMetadata", {}), **part}, kind)


def _day(written: str | None, name: str) -> date | None:
    try:
        return None if written is None else date.fromisoformat(written)
    except ValueError:
        raise invalid(f"Invalid {name}.") from None
