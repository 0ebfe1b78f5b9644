"""A seller at the simulated Seller Central, with a clock that only moves when somebody waits."""

import gzip
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from pydantic import SecretStr

from amazon_sage_assets.amazon.client import Connection, SellingPartner
from amazon_sage_assets.amazon.quotas import QuotaKeeper
from amazon_sage_assets.sandbox.seller_central import SellerCentral

UK, DE = "A1F83G8C2ARO7P", "A1PA6795UKMFR9"
SETTLEMENT = "GET_V2_SETTLEMENT_REPORT_DATA_FLAT_FILE_V2"
CLIENT = {"client_id": "amzn1.application-oa2-client.teapots", "client_secret": "the-client-secret"}
REFRESH_TOKEN = "Atzr|the-refresh-token"  # noqa: S105
START = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
REPORTS = "/reports/2021-06-30/reports"
DOCUMENTS = "/reports/2021-06-30/documents"
ORDERS = "/orders/2026-01-01/orders"
CONTENT = "settlement-id\tamount\n25900000001\t6.54\u00a0£\n".encode()


@dataclass
class Clock:
    """Everybody's time. Sleeping moves it and takes none."""

    now_is: datetime = START
    slept: list[float] = field(default_factory=list)

    def now(self) -> datetime:
        return self.now_is

    def seconds(self) -> float:
        return self.now_is.timestamp()

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now_is += timedelta(seconds=seconds)


def add_seller(store: SellerCentral, name: str = "uk", refresh_token: str = REFRESH_TOKEN) -> None:
    store.add_seller(name, **CLIENT, refresh_token=refresh_token, marketplace_ids=[UK, DE])


def add_report(store: SellerCentral, report_id: str, content: bytes = CONTENT, **different: Any) -> None:
    """A settlement report, made a day ago unless said otherwise."""
    created = different.get("created_at", START - timedelta(days=1))
    usual: dict[str, Any] = {
        "report_type": SETTLEMENT,
        "marketplace_ids": [UK],
        "data_start": created - timedelta(days=14),
        "data_end": created,
        "created_at": created,
    }
    store.add_report(different.pop("seller", "uk"), report_id, content, **{**usual, **different})


def order(number: int = 1, **different: Any) -> dict[str, Any]:
    """A lamp and its bulb for 28.80 with 4.80 of VAT in it, of which 5.00 are postage and -3.00 a discount.

    Bought an hour before noon of the day before START, and not sent yet. What is named is changed, as in `changed`.
    """

    def money(amount: str) -> dict[str, str]:
        return {"amount": amount, "currencyCode": "GBP"}

    def part(kind: str, amount: str, **taxes: str) -> dict[str, Any]:
        details = [{"subtype": subtype, "value": money(tax)} for subtype, tax in taxes.items()]
        return {"type": kind, "subtotal": money(amount)} | ({"detailedBreakdowns": details} if details else {})

    def item(place: int, sku: str, title: str, total: str, *parts: dict[str, Any]) -> dict[str, Any]:
        return {
            "orderItemId": f"6{number:07}{place:06}",
            "quantityOrdered": 1,
            "product": {"asin": f"B0{sku}", "title": title, "sellerSku": sku, "price": {"unitPrice": money(total)}},
            "proceeds": {"proceedsTotal": money(total), "breakdowns": list(parts)},
            "promotion": {"breakdowns": [{"promotionId": "TEN-OFF"}]},
            "fulfillment": {"quantityFulfilled": 0, "quantityUnfulfilled": 1},
            "tax": {"taxCollections": [{"model": "MARKETPLACE_FACILITATOR", "responsibleParty": "Amazon"}]},
            "expense": {"pointsCost": {"pointsGranted": {"pointsNumber": 1}}},
            "cancellation": {"cancellationRequest": {"requester": "BUYER"}},
        }

    lamp = (
        part("ITEM", "20.00"), part("SHIPPING", "4.17"), part("DISCOUNT", "-2.50"),
        part("TAX", "4.33", ITEM="4.00", SHIPPING="0.83", DISCOUNT="-0.50"),
    )  # fmt: skip
    bulb = (part("ITEM", "2.33"), part("TAX", "0.47", ITEM="0.47"))
    usual = {
        "orderId": f"202-0000001-{number:07}",
        "createdTime": "2026-11-19T11:00:00Z",
        "lastUpdatedTime": "2026-11-19T11:30:00Z",
        "programs": ["AMAZON_BUSINESS"],
        "salesChannel": {"channelName": "AMAZON", "marketplaceId": UK, "marketplaceName": "Amazon.co.uk"},
        "buyer": {"buyerName": "Vera Lightfoot", "buyerEmail": "vx7q@marketplace.amazon.co.uk"},
        "recipient": {
            "deliveryAddress": {
                "name": "Vera Lightfoot",
                "addressLine1": "9 Lantern Row",
                "city": "Leeds",
                "stateOrRegion": "West Yorkshire",
                "postalCode": "LS1 1AA",
                "countryCode": "GB",
                "phone": "07700 900123",
            }
        },
        "proceeds": {
            "grandTotal": money("28.80"),
            "breakdowns": [
                part("ITEM", "22.33"), part("SHIPPING", "4.17"), part("DISCOUNT", "-2.50"), part("TAX", "4.80"),
            ],
        },
        "payment": {"paymentExecutions": [{"paymentMethod": "Invoice"}]},
        "tax": {"taxInvoicing": {"invoiceStatus": "NOT_REQUIRED"}},
        "fulfillment": {
            "fulfillmentStatus": "UNSHIPPED",
            "fulfilledBy": "MERCHANT",
            "fulfillmentServiceLevel": "STANDARD",
            "shipByWindow": {"earliestDateTime": "2026-11-19T00:00:00Z", "latestDateTime": "2026-11-20T23:59:59Z"},
        },
        "orderItems": [
            item(1, "LAMP", "Test lamp", "26.00", *lamp),
            item(2, "BULB", "Test bulb", "2.80", *bulb),
        ],
        "packages": [{"packageReferenceId": "1"}],
        "fulfillmentOrders": [{"fulfillmentOrderId": "LdDv2jxM4"}],
    }  # fmt: skip
    return {**usual, **different}


def fulfilled(status: str = "UNSHIPPED", by: str = "MERCHANT") -> dict[str, Any]:
    """How far an order is, as `order(fulfillment=...)` takes it."""
    return {"fulfillmentStatus": status, "fulfilledBy": by}


def payout(payout_id: str = "25900000001", amount: Any = 6.54, **different: Any) -> dict[str, Any]:
    link = {"relatedIdentifierName": "SETTLEMENT_ID", "relatedIdentifierValue": payout_id}
    usual = {
        "id": payout_id,
        "currentStatus": "STARTED",
        "type": "SCHEDULED",
        "amount": {"currencyCode": "GBP", "currencyAmount": amount},
        "accountTail": "1234",
        "traceId": "TR1",
        "creationDate": "2026-11-15T06:10:11Z",
        "relatedIdentifiers": [link],
    }
    return {**usual, **different}


def transaction(number: int, amount: Any = -20.35, **different: Any) -> dict[str, Any]:
    """A refund of a lamp, posted on the sixth of November."""

    def money(value: Any) -> dict[str, Any]:
        return {"currencyCode": "GBP", "currencyAmount": value}

    usual = {
        "sellingPartnerMetadata": {
            "sellingPartnerId": "AHANDMADE",
            "accountType": "Standard Orders",
            "marketplaceId": UK,
        },
        "relatedIdentifiers": [
            {"relatedIdentifierName": "ORDER_ID", "relatedIdentifierValue": f"202-0000001-{number:07}"},
            {"relatedIdentifierName": "REFUND_ID", "relatedIdentifierValue": "amzn1:crow:hand-made"},
        ],
        "transactionType": "Refund",
        "transactionId": f"t-{number:05}",
        "transactionStatus": "RELEASED",
        "description": "Refund Order",
        "postedDate": "2026-11-06T10:00:00Z",
        "totalAmount": money(amount),
        "items": [
            {
                "description": "Test lamp",
                "relatedIdentifiers": [
                    {
                        "itemRelatedIdentifierName": "ORDER_ADJUSTMENT_ITEM_ID",
                        "itemRelatedIdentifierValue": "1757482067203214050",
                    }
                ],
                "totalAmount": money(amount),
                "breakdowns": [{"breakdownType": "ProductCharges", "breakdownAmount": money(amount)}],
                "contexts": [
                    {
                        "contextType": "ProductContext",
                        "asin": "B0TEST0001",
                        "sku": "SKU-A",
                        "quantityShipped": 1,
                        "fulfillmentNetwork": "AFN",
                    }
                ],
            }
        ],
        "contexts": [
            {"contextType": "DeferredContext", "deferralReason": "DD7", "maturityDate": "2026-11-13T10:00:00Z"}
        ],
    }
    return {**usual, **different}


def balance() -> dict[str, Any]:
    """100.10 in all: 60.04 to be had, 40.06 held back."""

    def node(kind: str, amount: float, *parts: dict[str, Any]) -> dict[str, Any]:
        own: dict[str, Any] = {
            "balanceType": kind,
            "amount": {"currencyCode": "GBP", "currencyAmount": amount},
        }
        return own | ({"balances": list(parts)} if parts else {})

    reserved = node("RESERVED", 40.06, node("DEFERRED", 50.06), node("ACCOUNT_LEVEL_RESERVE", -10))
    whose = {"partnerId": "AHANDMADE", "accountType": "Standard Orders", "marketplaceId": UK}
    return {"partnerMetadata": whose, **node("TOTAL", 100.1, node("AVAILABLE", 60.04), reserved)}


def summary() -> dict[str, Any]:
    def money(value: float) -> dict[str, Any]:
        return {"currencyCode": "GBP", "currencyAmount": value}

    fees = {"breakdownType": "FBA fees", "breakdownAmount": money(-3.46), "breakdowns": []}
    return {
        "partnerMetadata": {"partnerId": "AHANDMADE", "accountType": "Standard Orders", "marketplaceId": UK},
        "periodStart": "2026-11-01T06:10:11Z",
        "periodEnd": "2026-11-15T06:10:11Z",
        "netProceeds": money(6.54),
        "breakdowns": [
            {"breakdownType": "Sales", "breakdownAmount": money(10), "breakdowns": []},
            {"breakdownType": "Expenses", "breakdownAmount": money(-3.46), "breakdowns": [fees]},
        ],
    }


def connection(base: str, **different: Any) -> Connection:
    usual: dict[str, Any] = {
        "endpoint": base,
        "token_host": base,
        "marketplace_id": UK,
        "region": "eu-west-1",
        "refresh_token": SecretStr(REFRESH_TOKEN),
        "client_id": CLIENT["client_id"],
        "client_secret": SecretStr(CLIENT["client_secret"]),
    }
    return Connection(**{**usual, **different})


def partner(base: str, clock: Clock, **different: Any) -> SellingPartner:
    """A client on the same clock, which never waits in earnest."""
    quotas = QuotaKeeper(clock=clock.seconds, wall=clock.seconds, sleep=clock.sleep)
    return SellingPartner(connection(base, **different), quotas, retry_wait=0.0, clock=clock.seconds)


class Amazon:
    """The server with a plain client in front of it, which signs in by itself."""

    def __init__(self, store: SellerCentral, clock: Clock, http: httpx.Client) -> None:
        self.store, self.clock, self.http = store, clock, http
        self.token = ""

    def sign_in(self, **different: str) -> httpx.Response:
        form = {"grant_type": "refresh_token", "refresh_token": REFRESH_TOKEN, **CLIENT, **different}
        return self.http.post("/auth/o2/token", data=form)

    def get(self, path: str, **query: Any) -> httpx.Response:
        self.token = self.token or self.sign_in().json()["access_token"]
        return self.http.get(path, params=query, headers={"x-amz-access-token": self.token})

    def post(self, path: str, body: Any) -> httpx.Response:
        self.token = self.token or self.sign_in().json()["access_token"]
        return self.http.post(path, json=body, headers={"x-amz-access-token": self.token})

    def reports(self, **query: Any) -> list[str]:
        """The ids of every page."""
        answer = self.get(REPORTS, reportTypes=SETTLEMENT, **query).json()
        found = [report["reportId"] for report in answer["reports"]]
        while "nextToken" in answer:
            answer = self.get(REPORTS, nextToken=answer["nextToken"]).json()
            found += [report["reportId"] for report in answer["reports"]]
        return found

    def link(self, report_id: str) -> str:
        document_id = self.get(f"{REPORTS}/{report_id}").json()["reportDocumentId"]
        return str(self.get(f"{DOCUMENTS}/{document_id}").json()["url"])


def code(response: httpx.Response) -> tuple[int, str]:
    return response.status_code, response.json()["errors"][0]["code"]


Send = Callable[[dict[str, Any]], Awaitable[None]]


@dataclass
class Answer:
    """What a server or something before it answers instead. `breaks_off`: the connection ends before the body does."""

    status: int = 200
    body: bytes = b""
    content_type: str = "application/json"
    path: str = ""
    breaks_off: bool = False


class Interrupted:
    """An app whose next answers can be replaced, each for one request whose path holds `path`. Keeps what was asked."""

    def __init__(self, app: Any = None) -> None:
        self.app = app
        self.instead: list[Answer] = []
        self.asked: list[str] = []
        self.headers: list[dict[str, str]] = []

    def answers(self, *answers: Answer) -> None:
        self.instead.extend(answers)

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Send) -> None:
        self.asked.append(f"{scope['path']}?{scope['query_string'].decode()}".rstrip("?"))
        self.headers.append({name.decode(): value.decode() for name, value in scope["headers"]})
        answer = next((answer for answer in self.instead if answer.path in scope["path"]), None)
        if answer is None:
            await self.app(scope, receive, send)
            return
        self.instead.remove(answer)
        length = len(answer.body) + (100 if answer.breaks_off else 0)
        headers = [(b"content-type", answer.content_type.encode()), (b"content-length", str(length).encode())]
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": answer.body, "more_body": answer.breaks_off})
        if answer.breaks_off:
            send.__self__.transport.abort()  # type: ignore[attr-defined]


def as_json(content: Any) -> bytes:
    return json.dumps(content).encode()


def packed(*members: bytes) -> bytes:
    return b"".join(gzip.compress(member, mtime=0) for member in members)
