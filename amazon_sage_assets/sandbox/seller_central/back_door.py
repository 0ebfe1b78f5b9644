"""What the operator of the sandbox can ask and change while it is served."""

from datetime import datetime

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from amazon_sage_assets.sandbox.seller_central.plans import PLANS
from amazon_sage_assets.sandbox.seller_central.store import SellerCentral
from amazon_sage_assets.sandbox.seller_central.switches import SWITCHES


async def _requests(request: Request) -> Response:
    store: SellerCentral = request.app.state.store
    return JSONResponse({"requests": store.requests(), "throttled": store.throttled()})


async def _expire_tokens(request: Request) -> Response:
    request.app.state.store.expire_tokens()
    return JSONResponse({})


async def _rate(request: Request) -> Response:
    """`{"operation": "getReports", "rate": 0.5, "burst": 3}`; the burst may be left out."""
    wanted = await request.json()
    operation, per_second = wanted.get("operation"), wanted.get("rate")
    if operation not in PLANS or not isinstance(per_second, int | float) or per_second <= 0:
        return JSONResponse({"error": "a known operation and a rate above zero are needed"}, 400)
    request.app.state.store.set_rate(operation, float(per_second), wanted.get("burst"))
    return JSONResponse({})


async def _empty_429(request: Request) -> Response:
    """`{"on": true}`"""
    request.app.state.store.set_empty_429((await request.json())["on"] is True)
    return JSONResponse({})


async def _switch(request: Request) -> Response:
    """`{"prices_include_tax": true}`, and so on for each of SWITCHES."""
    wanted = await request.json()
    if not SWITCHES.issuperset(wanted):
        return JSONResponse({"error": f"the switches are {', '.join(sorted(SWITCHES))}"}, 400)
    for name, on in wanted.items():
        request.app.state.store.switch(name, on is True)
    return JSONResponse({})


async def _order(request: Request) -> Response:
    """`{"seller": "uk", "order": {...}}` in Amazon's JSON, or `{"seller": "uk", "orderId": "...", "changes": {...}}`.

    With a change may come `at`, the moment of it, and `hidden`: whether searchOrders misses the order.
    """
    store: SellerCentral = request.app.state.store
    wanted = await request.json()
    try:
        seller = store.seller(wanted["seller"]).name
        if "order" in wanted:
            store.add_orders(seller, [wanted["order"]])
        if "changes" in wanted:
            at = datetime.fromisoformat(wanted["at"]) if "at" in wanted else None
            store.update_order(seller, wanted["orderId"], wanted["changes"], at=at)
        if "hidden" in wanted:
            store.hide_from_search(wanted["orderId"], hidden=wanted["hidden"] is True)
    except (KeyError, ValueError) as error:
        return JSONResponse({"error": str(error)}, 400)
    return JSONResponse({})


ROUTES = [
    Route("/_sandbox/requests", _requests),
    Route("/_sandbox/expire_tokens", _expire_tokens, methods=["POST"]),
    Route("/_sandbox/rate", _rate, methods=["POST"]),
    Route("/_sandbox/empty_429", _empty_429, methods=["POST"]),
    Route("/_sandbox/switch", _switch, methods=["POST"]),
    Route("/_sandbox/order", _order, methods=["POST"]),
]
