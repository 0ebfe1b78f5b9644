"""The Orders API 2026-01-01."""

import hashlib
import json
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from amazon_sage_assets.sandbox.seller_central.answers import invalid, listed, marketplaces, moment, not_found
from amazon_sage_assets.sandbox.seller_central.database import Json, from_timestamp
from amazon_sage_assets.sandbox.seller_central.orders_kept import OrderQuestion
from amazon_sage_assets.sandbox.seller_central.paging import seal, unseal
from amazon_sage_assets.sandbox.seller_central.store import Seller, SellerCentral
from amazon_sage_assets.sandbox.seller_central.switches import FULFILLMENT_REFUSED, PRICES_INCLUDE_TAX

SETTLING = timedelta(minutes=2)
SHOWN_FOR = timedelta(days=730)
TOKEN_LIVES = timedelta(hours=24)
MOST = 100
STATUSES = {
    "PENDING_AVAILABILITY", "PENDING", "UNSHIPPED", "PARTIALLY_SHIPPED", "SHIPPED", "CANCELLED", "UNFULFILLABLE",
}  # fmt: skip
SENDERS = {"MERCHANT", "AMAZON"}
# What each block adds to the order and to its items. What is in no block always comes.
BLOCKS: dict[str, tuple[str, ...]] = {
    "BUYER": ("buyer",),
    "RECIPIENT": ("recipient",),
    "PROCEEDS": ("proceeds",),
    "EXPENSE": ("expense",),
    "PROMOTION": ("promotion",),
    "CANCELLATION": ("cancellation",),
    "FULFILLMENT": ("fulfillment",),
    "PACKAGES": ("packages",),
    "TAX": ("tax",),
    "PAYMENT": ("payment",),
    "FULFILLMENT_ORDERS": ("fulfillmentOrders",),
}
UNPAID = ("PENDING_AVAILABILITY", "PENDING")  # neither what it costs nor whom it goes to is told yet
NOT_YET_TOLD = {"buyer", "recipient", "proceeds", "payment", "tax", "promotion"}
MAY_CHANGE = {"paginationToken", "maxResultsPerPage", "includedData"}


def search_orders(store: SellerCentral, seller: Seller, request: Request) -> Response:
    query = request.query_params
    blocks, size = _blocks(store, query), _page_size(query)
    asked = hashlib.sha256(json.dumps(_lasting(query)).encode()).hexdigest()
    token = query.get("paginationToken")
    kept: dict[str, Any] = {}
    if token is not None:
        kept = unseal(store, seller.name, "searchOrders", token)
        if kept["asked"] != asked:
            raise invalid("paginationToken must come with the parameters that it was made for.")
        if store.now().timestamp() >= kept["until"]:
            raise invalid("paginationToken has expired.")
    name, wanted = _question(store, query, kept)
    found = store.search_orders(seller.name, wanted, size + 1)
    answer: dict[str, Any] = {"orders": [_shown(store, order, blocks) for _, order in found[:size]]}
    if len(found) > size:
        at, last = found[size - 1]
        until = (store.now() + TOKEN_LIVES).timestamp()
        content = {"asked": asked, "until": until, "before": wanted.before, "behind": [at, last["orderId"]]}
        answer["pagination"] = {"nextToken": seal(store, seller.name, "searchOrders", content)}
    answer[name] = _stamp(from_timestamp(wanted.before))
    return JSONResponse(answer)


def get_order(store: SellerCentral, seller: Seller, request: Request) -> Response:
    blocks = _blocks(store, request.query_params)
    order = store.order(seller.name, request.path_params["order_id"])
    if order is None:
        raise not_found("The order")
    return JSONResponse({"order": _shown(store, order, blocks)})


def _question(store: SellerCentral, query: QueryParams, kept: dict[str, Any]) -> tuple[str, OrderQuestion]:
    """What is wanted, and the name under which the answer says up to when. Later pages keep the end of the first."""
    created, updated = moment(query, "createdAfter"), moment(query, "lastUpdatedAfter")
    if (created is None) == (updated is None):
        raise invalid("Exactly one of createdAfter and lastUpdatedAfter is required.")
    name, other = ("createdBefore", "lastUpdatedBefore") if created else ("lastUpdatedBefore", "createdBefore")
    if other in query:
        raise invalid(f"{other} cannot be combined with {name.replace('Before', 'After')}.")
    after, latest = created or updated or store.now(), store.now() - SETTLING
    before = moment(query, name) or latest.replace(microsecond=0)
    if before > latest:
        raise invalid(f"{name} must be at least two minutes before now.")
    if after > before:
        raise invalid(f"{name} must not be before {name.replace('Before', 'After')}, two minutes ago at the latest.")
    places, statuses, senders = marketplaces(query), listed(query, "fulfillmentStatuses"), listed(query, "fulfilledBy")
    if len(places) > 50:  # noqa: PLR2004
        raise invalid("marketplaceIds must name at most 50 marketplaces.")
    if not STATUSES.issuperset(statuses):
        raise invalid("Invalid fulfillmentStatuses.")
    if not SENDERS.issuperset(senders):
        raise invalid("Invalid fulfilledBy.")
    behind = kept.get("behind")
    return name, OrderQuestion(
        moment="created_at" if created else "updated_at",
        after=after.timestamp(),
        before=kept.get("before") or before.timestamp(),
        created_from=(store.now() - SHOWN_FOR).timestamp(),
        marketplace_ids=places,
        statuses=statuses,
        fulfilled_by=senders,
        behind=(behind[0], behind[1]) if behind else None,
    )


def _lasting(query: QueryParams) -> dict[str, list[str]]:
    """The parameters that must be the same for every page."""
    return {name: sorted(listed(query, name)) for name in sorted(query.keys()) if name not in MAY_CHANGE}


def _page_size(query: QueryParams) -> int:
    written = query.get("maxResultsPerPage", str(MOST))
    if not written.isdecimal() or not 1 <= int(written) <= MOST:
        raise invalid(f"maxResultsPerPage must be between 1 and {MOST}.")
    return int(written)


def _blocks(store: SellerCentral, query: QueryParams) -> Collection[str]:
    blocks = listed(query, "includedData")
    if not BLOCKS.keys() >= set(blocks):
        raise invalid("Invalid includedData.")
    if "FULFILLMENT" in blocks and store.is_on(FULFILLMENT_REFUSED):
        raise invalid("Invalid includedData: FULFILLMENT.")
    return blocks


def _shown(store: SellerCentral, order: Json, blocks: Collection[str]) -> Json:
    """An order with the blocks that were asked for, as far as they can be told."""
    is_unpaid = order["fulfillment"]["fulfillmentStatus"] in UNPAID
    hidden = {field for block, fields in BLOCKS.items() if block not in blocks for field in fields}
    if is_unpaid:
        hidden |= NOT_YET_TOLD
    shown = {field: value for field, value in order.items() if field not in hidden}
    shown["orderItems"] = [{f: v for f, v in item.items() if f not in hidden} for item in order["orderItems"]]
    for item in shown["orderItems"]:
        if is_unpaid:
            item["product"] = {field: value for field, value in item["product"].items() if field != "price"}
        if "proceeds" in item and store.is_on(PRICES_INCLUDE_TAX):
            item["proceeds"] = _tax_inside(item["proceeds"])
    if "proceeds" in shown and store.is_on(PRICES_INCLUDE_TAX):
        shown["proceeds"] = _totals(shown["proceeds"], shown["orderItems"])
    return shown


def _tax_inside(proceeds: Json) -> Json:
    """The same proceeds with each part's VAT inside it; TAX stays and says how much."""
    parts = proceeds["breakdowns"]
    details = [detail for part in parts if part["type"] == "TAX" for detail in part["detailedBreakdowns"]]
    taxes = {detail["subtype"]: detail["value"]["amount"] for detail in details}
    whole = [
        part | {"subtotal": _plus(part["subtotal"], taxes.get(part["type"], "0"))} if part["type"] != "TAX" else part
        for part in parts
    ]
    return proceeds | {"breakdowns": whole}


def _totals(proceeds: Json, items: list[Json]) -> Json:
    """The order's own parts, added up from its items."""
    sums: dict[str, Json] = {}
    for part in (part for item in items for part in item["proceeds"]["breakdowns"]):
        known = sums.get(part["type"])
        sums[part["type"]] = _plus(part["subtotal"], known["amount"] if known else "0")
    whole = [part | {"subtotal": sums.get(part["type"], part["subtotal"])} for part in proceeds.get("breakdowns", ())]
    return proceeds | ({"breakdowns": whole} if whole else {})


def _plus(money: Json, amount: str) -> Json:
    return money | {"amount": str(Decimal(money["amount"]) + Decimal(amount))}


def _stamp(when: datetime) -> str:
    return when.astimezone(UTC).isoformat().replace("+00:00", "Z")
