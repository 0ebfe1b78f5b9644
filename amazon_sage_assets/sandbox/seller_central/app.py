"""The server: every request is counted, let in by its access token, held to its quota, and then answered.

Networks that break are made by a middleware around this app.
"""

from collections.abc import Callable

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from amazon_sage_assets.sandbox.seller_central import back_door, finances, login, orders, reports, sellers
from amazon_sage_assets.sandbox.seller_central.answers import Refused, forbidden, stamped
from amazon_sage_assets.sandbox.seller_central.store import Seller, SellerCentral

Operation = Callable[[SellerCentral, Seller, Request], Response]

OPERATIONS: list[tuple[str, str, str, Operation]] = [
    ("GET", "/orders/2026-01-01/orders", "searchOrders", orders.search_orders),
    ("GET", "/orders/2026-01-01/orders/{order_id}", "getOrder", orders.get_order),
    ("GET", "/reports/2021-06-30/reports", "getReports", reports.get_reports),
    ("POST", "/reports/2021-06-30/reports", "createReport", reports.create_report),
    ("GET", "/reports/2021-06-30/reports/{report_id}", "getReport", reports.get_report),
    ("GET", "/reports/2021-06-30/documents/{document_id}", "getReportDocument", reports.get_document),
    ("GET", "/finances/2024-06-19/transactions", "listTransactions", finances.list_transactions),
    ("GET", "/finances/2024-06-19/balances", "listBalances", finances.list_balances),
    ("GET", "/finances/2024-06-19/summary", "listSummary", finances.list_summary),
    ("GET", "/finances/transfers/2024-06-01/payouts", "listPayouts", finances.list_payouts),
    ("GET", "/sellers/v1/marketplaceParticipations", "getMarketplaceParticipations", sellers.get_participations),
]


def create_app(store: SellerCentral) -> Starlette:
    app = Starlette(
        routes=[
            Route("/auth/o2/token", login.token, methods=["POST"]),
            Route("/documents/{seller}/{document_id}", reports.document_behind_link),
            *(Route(path, _endpoint(name, work), methods=[method]) for method, path, name, work in OPERATIONS),
            *back_door.ROUTES,
        ],
        exception_handlers={404: _gateway, 405: _gateway},
    )
    app.state.store = store
    return app


def _endpoint(operation: str, work: Operation) -> Callable[[Request], object]:
    async def endpoint(request: Request) -> Response:
        store: SellerCentral = request.app.state.store
        request.state.content = await request.body()
        response = _answer(store, operation, work, request)
        response.headers["x-amzn-RateLimit-Limit"] = f"{store.rate(operation)[0]:.6g}"
        return stamped(response)

    return endpoint


def _answer(store: SellerCentral, operation: str, work: Operation, request: Request) -> Response:
    try:
        seller = _let_in(store, operation, request)
        if not store.take(seller.name, operation):
            return _throttle(store)
        return work(store, seller, request)
    except Refused as refusal:
        return refusal.response()


def _let_in(store: SellerCentral, operation: str, request: Request) -> Seller:
    seller, has_expired = store.bearer(request.headers.get("x-amz-access-token", ""))
    if seller is not None and not has_expired:
        return seller
    store.count(operation)
    if "x-amz-access-token" not in request.headers:
        raise forbidden("Access token is missing in the request header.")
    if seller is None:
        raise forbidden("The access token you provided is revoked, malformed or invalid.")
    raise forbidden("The access token you provided has expired.")


def _throttle(store: SellerCentral) -> Response:
    if store.empty_429:
        return Response(status_code=429)
    return Refused(429, "QuotaExceeded", "You exceeded your quota for the requested resource.").response()


async def _gateway(request: Request, error: Exception) -> Response:
    """What Amazon's gateway says, in its own shape, to a path that it does not know."""
    return stamped(JSONResponse({"message": "Forbidden"}, 403))
