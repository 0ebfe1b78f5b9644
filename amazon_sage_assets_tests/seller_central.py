"""A seller at the simulated Seller Central, with a clock that only moves when somebody waits."""

import gzip
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import SecretStr

from amazon_sage_assets.amazon.client import Connection, SellingPartner
from amazon_sage_assets.amazon.quotas import QuotaKeeper
from amazon_sage_assets.sandbox.seller_central import SellerCentral

UK, DE = "A1F83G8C2ARO7P", "A1PA6795UKMFR9"
SETTLEMENT = "GET_V2_SETTLEMENT_REPORT_DATA_FLAT_FILE_V2"
CLIENT = {"client_id": "amzn1.application-oa2-client.teapots", "client_secret": "the-client-secret"}
REFRESH_TOKEN = "Atzr|the-refresh-token"  # noqa: S105
START = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
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
