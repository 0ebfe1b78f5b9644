"""The state of the simulated Seller Central: one SQLite file, with the reports' documents in a folder beside it.

Killed and opened again it is the same world: tokens, quotas and what was asked so far included.
"""

import gzip
import hashlib
import hmac
import json
import secrets
import shutil
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid4, uuid5

from amazon_sage_assets.sandbox.seller_central.database import Json, from_timestamp, stamp, utc_now
from amazon_sage_assets.sandbox.seller_central.orders_kept import OrdersKept
from amazon_sage_assets.sandbox.seller_central.plans import PLANS
from amazon_sage_assets.sandbox.seller_central.switches import REPORTS_AT_ONCE

RETENTION = timedelta(days=90)
TRANSACTION, PAYOUT, BALANCES, SUMMARY = "transaction", "payout", "balances", "summary"
FBA_RETURN, MFN_RETURN = "fba return", "mfn return"
NEXT_STATUS = {"IN_QUEUE": "IN_PROGRESS"}  # and then what it ends as
NOW = "now"
DAY = "%d-%b-%Y"  # as the returns report of what sellers send themselves writes it
DUST = 1e-6  # of a token: what is lost in rounding time to a microsecond


@dataclass(frozen=True)
class Seller:
    name: str
    partner_id: str
    marketplace_ids: tuple[str, ...]
    has_payouts: bool


@dataclass(frozen=True)
class Report:
    report_id: str
    report_type: str
    marketplace_ids: tuple[str, ...]
    data_start: datetime | None
    data_end: datetime | None
    created_at: datetime
    status: str
    document_id: str


@dataclass(frozen=True)
class Document:
    document_id: str
    seller: str
    path: Path
    is_compressed: bool
    content_type: str


class SellerCentral(OrdersKept):
    """Sellers with their reports and money, and every request's price.

    `rate_scale` multiplies Amazon's rates, not its bursts; `link_seconds` and `access_token_seconds` are how long a
    document's link and an access token live; `page_size` is that of the finance APIs.
    """

    def __init__(
        self,
        path: Path,
        *,
        rate_scale: float = 1.0,
        now: Callable[[], datetime] = utc_now,
        link_seconds: int = 300,
        access_token_seconds: int = 3600,
        page_size: int = 500,
    ) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.link_seconds, self.access_token_seconds = link_seconds, access_token_seconds
        self.page_size = page_size
        self._rate_scale = rate_scale
        self._documents = path.with_name(f"{path.name}.documents")
        self._documents.mkdir(exist_ok=True)
        super().__init__(path, now)
        self._query("insert or ignore into state values ('signing_key', ?)", secrets.token_hex(32))
        self._signing_key = self._state("signing_key", "").encode()

    def __enter__(self) -> "SellerCentral":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # What a seeder puts in

    def add_seller(
        self, name: str, *, client_id: str, client_secret: str, refresh_token: str, marketplace_ids: Sequence[str]
    ) -> None:
        """A seller, or new credentials for a known one."""
        partner_id = "A" + hashlib.sha256(name.encode()).hexdigest()[:13].upper()
        self._query(
            "insert into sellers (name, partner_id, client_id, client_secret, refresh_token, marketplace_ids)"
            " values (?, ?, ?, ?, ?, ?) on conflict (name) do update set client_id = excluded.client_id,"
            " client_secret = excluded.client_secret, refresh_token = excluded.refresh_token,"
            " marketplace_ids = excluded.marketplace_ids",
            name, partner_id, client_id, client_secret, refresh_token, json.dumps(list(marketplace_ids)),
        )  # fmt: skip

    def set_payouts_available(self, seller: str, available: bool) -> None:
        """Whether the seller may list payouts. Amazon does not offer it everywhere."""
        self._query("update sellers set has_payouts = ? where name = ?", int(available), self.seller(seller).name)

    def add_report(
        self,
        seller: str,
        report_id: str,
        content: Path | bytes,
        *,
        report_type: str,
        marketplace_ids: Sequence[str],
        data_start: datetime | None,
        data_end: datetime | None,
        created_at: datetime,
        compressed: bool = True,
        charset: str | None = "UTF-8",
        processing_status: str = "DONE",
    ) -> None:
        """A report, which is listed from `created_at` on. The same id again replaces it."""
        document_id = f"amzn1.spdoc.1.4.eu.{uuid5(NAMESPACE_URL, f'{self.seller(seller).partner_id}/{report_id}')}"
        file = self._store(content, compressed)
        kind = "text/plain" if charset is None else f"text/plain;charset={charset}"
        with self._transaction():
            self._query(
                "insert or replace into documents values (?, ?, ?, ?, ?)",
                document_id, seller, file, int(compressed), kind,
            )  # fmt: skip
            self._query(
                "insert or replace into reports values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                seller, report_id, report_type, json.dumps(list(marketplace_ids)),
                data_start and data_start.timestamp(), data_end and data_end.timestamp(), created_at.timestamp(),
                processing_status, document_id,
            )  # fmt: skip

    def request_report(
        self,
        seller: str,
        report_type: str,
        content: bytes | None,
        marketplace_ids: Sequence[str],
        data_start: datetime,
        data_end: datetime,
    ) -> str:
        """A report that was just asked for, and its id. One with nothing in it is called off, as Amazon does."""
        asked = next(self._query("select count(*) as count from requested_reports"))["count"]
        report_id, ends_as = f"60{asked + 1:010d}", "CANCELLED" if content is None else "DONE"
        self.add_report(
            seller,
            report_id,
            content or b"",
            report_type=report_type,
            marketplace_ids=marketplace_ids,
            data_start=data_start,
            data_end=data_end,
            created_at=self.now(),
            processing_status=ends_as if self.is_on(REPORTS_AT_ONCE) else "IN_QUEUE",
        )
        self._query("insert into requested_reports values (?, ?, ?)", seller, report_id, ends_as)
        return report_id

    def go_on_with(self, seller: str, report: Report) -> None:
        """A step on with a report that was asked for."""
        asked = "select ends_as from requested_reports where seller = ? and report_id = ?"
        row = next(self._query(asked, seller, report.report_id), None)
        if row is not None:
            status = NEXT_STATUS.get(report.status, row["ends_as"])
            change = "update reports set status = ? where seller = ? and report_id = ?"
            self._query(change, status, seller, report.report_id)

    def add_returns(self, seller: str, rows: Iterable[Mapping[str, str]]) -> None:
        """Goods that come back: rows of the FBA or of the other returns report, by their columns."""
        with self._transaction():
            for row in rows:
                if "license-plate-number" in row:
                    at = datetime.fromisoformat(row["return-date"])
                    self._keep(FBA_RETURN, seller, row["license-plate-number"], at, row)
                else:
                    at = datetime.strptime(row["Return request date"], DAY).replace(tzinfo=UTC)
                    self._keep(MFN_RETURN, seller, f"{row['Amazon RMA ID']}/{row['Merchant SKU']}", at, row)

    def add_payout(self, seller: str, payout: Json) -> None:
        """A payout in Amazon's JSON; what Amazon always sends and is missing is filled in. Listed when created."""
        whose = self.seller(seller)
        created = str(payout.get("creationDate") or stamp(self.now()))
        metadata = {
            "partnerId": whose.partner_id,
            "accountType": "STANDARD_ORDERS",
            "marketplaceId": whose.marketplace_ids[0],
        }
        history = [{"status": payout["currentStatus"], "lastUpdatedDate": created}]
        whole = {"partnerMetadata": metadata, "creationDate": created, "statusHistory": history, **payout}
        self._keep(PAYOUT, seller, str(payout["id"]), datetime.fromisoformat(created), whole)

    def set_payout_status(
        self, seller: str, payout_id: str, status: str, *, at: datetime | None = None, failure_reason: str = ""
    ) -> None:
        with self._transaction():
            payout = next((p for when, p in self.records(PAYOUT, seller, id=payout_id)), None)
            if payout is None:
                raise KeyError(f"{seller} has no payout {payout_id}")
            entry = {"status": status, "lastUpdatedDate": stamp(at or self.now())}
            if failure_reason:
                entry["failureReason"] = failure_reason
            payout["currentStatus"] = status
            payout["statusHistory"].append(entry)
            self._keep(PAYOUT, seller, payout_id, datetime.fromisoformat(payout["creationDate"]), payout)

    def add_transactions(self, seller: str, transactions: Iterable[Json]) -> None:
        """Financial events in Amazon's JSON; one with the id of a known one replaces it."""
        with self._transaction():
            for transaction in transactions:
                posted = datetime.fromisoformat(transaction["postedDate"])
                self._keep(TRANSACTION, seller, transaction["transactionId"], posted, transaction)

    def set_balances(self, seller: str, balances: Iterable[Json], *, as_of: date | None = None) -> None:
        """Balances in Amazon's JSON, of now or of a day, in place of those before."""
        self._keep(BALANCES, seller, as_of.isoformat() if as_of else NOW, self.now(), {"balances": list(balances)})

    def add_summary(self, seller: str, settlement_id: str, summary: Json) -> None:
        """A settlement's summary in Amazon's JSON."""
        link = {"relatedIdentifierName": "SETTLEMENT_ID", "relatedIdentifierValue": settlement_id}
        self._keep(SUMMARY, seller, settlement_id, self.now(), {"relatedIdentifiers": [link], **summary})

    # What the servers' answers are made of

    def seller(self, name: str) -> Seller:
        row = next(self._query("select * from sellers where name = ?", name), None)
        if row is None:
            raise KeyError(f"there is no seller {name}")
        return Seller(
            row["name"], row["partner_id"], tuple(json.loads(row["marketplace_ids"])), bool(row["has_payouts"])
        )

    def knows_client(self, client_id: str, client_secret: str) -> bool:
        rows = self._query("select client_secret from sellers where client_id = ?", client_id)
        return any(hmac.compare_digest(row["client_secret"], client_secret) for row in rows)

    def new_access_token(self, client_id: str, refresh_token: str) -> str | None:
        """None for a refresh token that this client was not given."""
        asked = "select name from sellers where client_id = ? and refresh_token = ?"
        seller = next(self._query(asked, client_id, refresh_token), None)
        if seller is None:
            return None
        token = f"Atza|{secrets.token_urlsafe(48)}"
        until = self.now() + timedelta(seconds=self.access_token_seconds)
        self._query("insert into access_tokens values (?, ?, ?)", token, seller["name"], until.timestamp())
        return token

    def bearer(self, token: str) -> tuple[Seller | None, bool]:
        """Whose access token it is, and whether it has expired."""
        row = next(self._query("select * from access_tokens where token = ?", token), None)
        if row is None:
            return None, False
        return self.seller(row["seller"]), row["expires_at"] <= self.now().timestamp()

    def expire_tokens(self) -> None:
        self._query("update access_tokens set expires_at = 0")

    def reports(self, seller: str) -> list[Report]:
        """What can be seen now, the newest first: nothing from the future, nothing past its retention."""
        now = self.now()
        rows = self._query(
            "select * from reports where seller = ? and created_at <= ? and created_at > ?"
            " order by created_at desc, report_id desc",
            seller, now.timestamp(), (now - RETENTION).timestamp(),
        )  # fmt: skip
        return [_report(row) for row in rows]

    def document(self, seller: str, document_id: str) -> Document | None:
        """The document of a report that can be seen now."""
        visible = any(r.document_id == document_id and r.status == "DONE" for r in self.reports(seller))
        row = next(self._query("select * from documents where document_id = ?", document_id), None)
        if row is None or row["seller"] != seller or not visible:
            return None
        path = self._documents / row["file"]
        return Document(document_id, seller, path, bool(row["is_compressed"]), row["content_type"])

    def records(
        self,
        kind: str,
        seller: str,
        *,
        id: str | None = None,
        after: datetime | None = None,
        before: datetime | None = None,
    ) -> list[tuple[datetime, Json]]:
        """Records with their moment, from `after` on and before `before`, the oldest first."""
        condition = "kind = ? and seller = ?"
        values: list[str | float] = [kind, seller]
        for clause, value in (("id = ?", id), ("at >= ?", after), ("at < ?", before)):
            if value is not None:
                condition += f" and {clause}"
                values.append(value.timestamp() if isinstance(value, datetime) else value)
        rows = self._query(f"select at, content from records where {condition} order by at, id", *values)
        return [(from_timestamp(row["at"]), json.loads(row["content"])) for row in rows]

    # Quotas and their cost

    def take(self, seller: str, operation: str) -> bool:
        """Count a request and take it from the quota. False when there is none left."""
        per_second, burst = self.rate(operation)
        now = self.now().timestamp()
        with self._transaction():
            asked = "select tokens, at from buckets where seller = ? and operation = ?"
            kept = next(self._query(asked, seller, operation), None)
            tokens = min(burst, kept["tokens"] + max(0.0, now - kept["at"]) * per_second) if kept else float(burst)
            granted = tokens >= 1 - DUST
            left = tokens - 1 if granted else tokens
            self._query("insert or replace into buckets values (?, ?, ?, ?)", seller, operation, left, now)
            self.count(operation, throttled=not granted)
        return granted

    def rate(self, operation: str) -> tuple[float, int]:
        row = next(self._query("select * from rates where operation = ?", operation), None)
        if row is not None:
            return row["per_second"], row["burst"]
        per_second, burst = PLANS[operation]
        return per_second * self._rate_scale, burst

    def set_rate(self, operation: str, per_second: float, burst: int | None = None) -> None:
        """Another rate for every seller, shown in the header from now on."""
        kept = PLANS[operation][1] if burst is None else burst
        self._query("insert or replace into rates values (?, ?, ?)", operation, per_second, kept)

    def count(self, operation: str, *, throttled: bool = False) -> None:
        self._query(
            "insert into requests values (?, 1, ?) on conflict (operation)"
            " do update set arrived = arrived + 1, throttled = throttled + excluded.throttled",
            operation, int(throttled),
        )  # fmt: skip

    def requests(self) -> dict[str, int]:
        """How many requests arrived, by operation; `token` and `document` are the login and the documents' links."""
        return {row["operation"]: row["arrived"] for row in self._query("select * from requests order by operation")}

    def throttled(self) -> dict[str, int]:
        """How many of them were answered with 429."""
        return {row["operation"]: row["throttled"] for row in self._query("select * from requests where throttled > 0")}

    @property
    def empty_429(self) -> bool:
        """Whether 429 comes without a body, as it sometimes does."""
        return self.is_on("empty_429")

    def set_empty_429(self, on: bool) -> None:
        self.switch("empty_429", on)

    def sign(self, text: str) -> str:
        return hmac.new(self._signing_key, text.encode(), hashlib.sha256).hexdigest()

    # SQLite and files

    def _keep(self, kind: str, seller: str, id: str, at: datetime, content: Mapping[str, Any]) -> None:
        written = json.dumps(content, default=_json_number)
        whose = self.seller(seller).name
        self._query("insert or replace into records values (?, ?, ?, ?, ?)", kind, whose, id, at.timestamp(), written)

    def _store(self, content: Path | bytes, compressed: bool) -> str:
        """Keep a document as it will be sent, under the hash of what is in it, and say the file's name."""
        partial = self._documents / f"{uuid4().hex}.part"
        digest = hashlib.sha256()
        try:
            with partial.open("wb") as raw:
                target = gzip.GzipFile(fileobj=raw, mode="wb", mtime=0, filename="") if compressed else raw
                for chunk in _chunks(content):
                    digest.update(chunk)
                    target.write(chunk)
                if compressed:
                    target.close()
            name = f"{digest.hexdigest()}{'.gz' if compressed else ''}"
            shutil.move(partial, self._documents / name)
        finally:
            partial.unlink(missing_ok=True)
        return name


def _chunks(content: Path | bytes) -> Iterator[bytes]:
    if isinstance(content, bytes):
        yield content
        return
    with content.open("rb") as stream:
        while chunk := stream.read(1 << 20):
            yield chunk


def _report(row: sqlite3.Row) -> Report:
    return Report(
        report_id=row["report_id"],
        report_type=row["report_type"],
        marketplace_ids=tuple(json.loads(row["marketplace_ids"])),
        data_start=None if row["data_start"] is None else from_timestamp(row["data_start"]),
        data_end=None if row["data_end"] is None else from_timestamp(row["data_end"]),
        created_at=from_timestamp(row["created_at"]),
        status=row["status"],
        document_id=row["document_id"],
    )


def _json_number(value: object) -> int | float:
    """A Decimal as a JSON number that reads back as the same amount."""
    if not isinstance(value, Decimal):
        raise TypeError(f"{value!r} does not fit into JSON")
    number = int(value) if value == value.to_integral_value() else float(value)
    if Decimal(repr(number)) != value:
        raise ValueError(f"{value} cannot be written as a JSON number without losing digits")
    return number
