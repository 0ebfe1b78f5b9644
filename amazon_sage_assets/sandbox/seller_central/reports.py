"""The Reports API 2021-06-30 and the documents behind their links."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response

from amazon_sage_assets.sandbox.seller_central.answers import (
    invalid,
    listed,
    marketplaces,
    moment,
    not_found,
    read_moment,
    stamped,
)
from amazon_sage_assets.sandbox.seller_central.paging import seal, unseal
from amazon_sage_assets.sandbox.seller_central.requested_reports import MAKERS, made
from amazon_sage_assets.sandbox.seller_central.store import RETENTION, Document, Report, Seller, SellerCentral

STATUSES = {"CANCELLED", "DONE", "FATAL", "IN_PROGRESS", "IN_QUEUE"}
LINK_TIME = "%Y%m%dT%H%M%SZ"


def get_reports(store: SellerCentral, seller: Seller, request: Request) -> Response:
    token = request.query_params.get("nextToken")
    if token is None:
        question = _question(store, request)
    elif len(request.query_params.multi_items()) > 1:
        raise invalid("nextToken cannot be combined with other parameters.")
    else:
        question = unseal(store, seller.name, "getReports", token)
    found = [report for report in store.reports(seller.name) if _fits(report, question)]
    shown, more = found[: question["page_size"]], len(found) > question["page_size"]
    answer: dict[str, Any] = {"reports": [_report(report) for report in shown]}
    if more:
        # Reports that are made meanwhile come before the first page, so a page goes on behind the last one shown.
        last = shown[-1]
        question["behind"] = [last.created_at.timestamp(), last.report_id]
        answer["nextToken"] = seal(store, seller.name, "getReports", question)
    return JSONResponse(answer)


def _question(store: SellerCentral, request: Request) -> dict[str, Any]:
    query = request.query_params
    types, statuses, places = listed(query, "reportTypes"), listed(query, "processingStatuses"), marketplaces(query)
    if not 1 <= len(types) <= 10:
        raise invalid("reportTypes must name 1 to 10 report types.")
    if not STATUSES.issuperset(statuses):
        raise invalid("Invalid processingStatuses.")
    if len(places) > 10:
        raise invalid("marketplaceIds must name at most 10 marketplaces.")
    size = query.get("pageSize", "10")
    if not size.isdecimal() or not 1 <= int(size) <= 100:
        raise invalid("pageSize must be between 1 and 100.")
    since = moment(query, "createdSince") or store.now() - RETENTION
    until = moment(query, "createdUntil") or store.now()
    return {
        "types": types,
        "statuses": statuses,
        "marketplaces": places,
        "page_size": int(size),
        "since": since.timestamp(),
        "until": until.timestamp(),
        "behind": None,
    }


def _fits(report: Report, question: dict[str, Any]) -> bool:
    place = (report.created_at.timestamp(), report.report_id)
    return (
        report.report_type in question["types"]
        and (not question["statuses"] or report.status in question["statuses"])
        and (not question["marketplaces"] or not set(report.marketplace_ids).isdisjoint(question["marketplaces"]))
        and question["since"] <= place[0] <= question["until"]
        and (question["behind"] is None or place < tuple(question["behind"]))
    )


def get_report(store: SellerCentral, seller: Seller, request: Request) -> Response:
    wanted = request.path_params["report_id"]
    found = next((report for report in store.reports(seller.name) if report.report_id == wanted), None)
    if found is None:
        raise not_found("The report")
    answer = JSONResponse(_report(found))
    store.go_on_with(seller.name, found)
    return answer


def create_report(store: SellerCentral, seller: Seller, request: Request) -> Response:
    """Some kinds can be asked for. Settlement reports cannot, and no other kind is made here."""
    wanted = _specification(request.state.content)
    if wanted["reportType"] not in MAKERS:
        raise invalid("Request for report type 1118 is not allowed at this time.")
    places = wanted.get("marketplaceIds")
    if not isinstance(places, list) or not 1 <= len(places) <= 25:  # noqa: PLR2004
        raise invalid("marketplaceIds must name 1 to 25 marketplaces.")
    if not set(seller.marketplace_ids).issuperset(places):
        raise invalid("Invalid marketplaceIds.")
    start, end = _moment(store, wanted, "dataStartTime"), _moment(store, wanted, "dataEndTime")
    if start > end:
        raise invalid("dataStartTime must not be after dataEndTime.")
    content = made(store, seller, wanted["reportType"], start, end, places)
    report_id = store.request_report(seller.name, wanted["reportType"], content, places, start, end)
    return JSONResponse({"reportId": report_id}, 202)


def _specification(content: bytes) -> dict[str, Any]:
    try:
        wanted = json.loads(content)
    except ValueError:
        raise invalid("The body is not JSON.") from None
    if not isinstance(wanted, dict) or not isinstance(wanted.get("reportType"), str):
        raise invalid("reportType is required.")
    return wanted


def _moment(store: SellerCentral, wanted: dict[str, Any], name: str) -> datetime:
    """A moment in the past; now where it is left out."""
    found = read_moment(wanted[name], name) if name in wanted else store.now()
    if found > store.now():
        raise invalid(f"{name} must not be in the future.")
    return found


def get_document(store: SellerCentral, seller: Seller, request: Request) -> Response:
    document = store.document(seller.name, request.path_params["document_id"])
    if document is None:
        raise not_found("The report document")
    answer = {"reportDocumentId": document.document_id, "url": _link(store, document, request)}
    if document.is_compressed:
        answer["compressionAlgorithm"] = "GZIP"
    return JSONResponse(answer)


def _report(report: Report) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "reportId": report.report_id,
        "reportType": report.report_type,
        "marketplaceIds": list(report.marketplace_ids),
        "createdTime": _stamp(report.created_at),
        "processingStatus": report.status,
    }
    if report.data_start:
        fields["dataStartTime"] = _stamp(report.data_start)
    if report.data_end:
        fields["dataEndTime"] = _stamp(report.data_end)
    if report.status != "IN_QUEUE":
        fields["processingStartTime"] = _stamp(report.created_at)
    if report.status not in ("IN_QUEUE", "IN_PROGRESS"):
        fields["processingEndTime"] = _stamp(report.created_at)
    if report.status == "DONE":
        fields["reportDocumentId"] = report.document_id
    return fields


def _stamp(when: datetime) -> str:
    return when.astimezone(UTC).isoformat(timespec="seconds")


def _link(store: SellerCentral, document: Document, request: Request) -> str:
    """A pre-signed address of this server. Where that is, its socket knows; clients' Host headers may be wrong."""
    host, port = request.scope["server"]
    signed_at = store.now().astimezone(UTC).strftime(LINK_TIME)
    signature = store.sign(_to_sign(document.seller, document.document_id, signed_at, str(store.link_seconds)))
    path = f"/documents/{quote(document.seller, safe='')}/{document.document_id}"
    query = f"X-Amz-Date={signed_at}&X-Amz-Expires={store.link_seconds}&X-Amz-Signature={signature}"
    return f"http://{host}:{port}{path}?{query}"


def _to_sign(seller: str, document_id: str, signed_at: str, lives: str) -> str:
    return "/".join(("link", seller, document_id, signed_at, lives))


async def document_behind_link(request: Request) -> Response:
    """The bytes, for whoever has a link that is still good. As in S3, the rest is said in XML."""
    store: SellerCentral = request.app.state.store
    store.count("document")
    return stamped(_bytes(store, request))


def _bytes(store: SellerCentral, request: Request) -> Response:
    seller, document_id = request.path_params["seller"], request.path_params["document_id"]
    query = request.query_params
    signed_at, lives = query.get("X-Amz-Date", ""), query.get("X-Amz-Expires", "")
    if query.get("X-Amz-Signature") != store.sign(_to_sign(seller, document_id, signed_at, lives)):
        return _xml(403, "SignatureDoesNotMatch", "The request signature we calculated does not match.")
    end = datetime.strptime(signed_at, LINK_TIME).replace(tzinfo=UTC) + timedelta(seconds=int(lives))
    if store.now() >= end:
        return _xml(403, "AccessDenied", "Request has expired")
    document = store.document(seller, document_id)
    if document is None:
        return _xml(404, "NoSuchKey", "The specified key does not exist.")
    return FileResponse(document.path, headers={"content-type": document.content_type})


def _xml(status: int, code: str, message: str) -> Response:
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>{message}</Message></Error>'
    return Response(body, status, media_type="application/xml")
