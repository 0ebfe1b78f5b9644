"""Login with Amazon: an access token for a refresh token."""

from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from amazon_sage_assets.sandbox.seller_central.answers import stamped
from amazon_sage_assets.sandbox.seller_central.store import SellerCentral


async def token(request: Request) -> Response:
    store: SellerCentral = request.app.state.store
    store.count("token")
    form = {name: values[0] for name, values in parse_qs((await request.body()).decode()).items()}
    return stamped(_answer(store, form))


def _answer(store: SellerCentral, form: dict[str, str]) -> Response:
    if form.get("grant_type") != "refresh_token":
        return _error(
            400, "unsupported_grant_type", "The authorization grant type is not supported by the authorization server"
        )
    missing = [name for name in ("refresh_token", "client_id", "client_secret") if not form.get(name)]
    if missing:
        return _error(400, "invalid_request", f"The request is missing a required parameter : {missing[0]}")
    if not store.knows_client(form["client_id"], form["client_secret"]):
        return _error(401, "invalid_client", "Client authentication failed")
    access_token = store.new_access_token(form["client_id"], form["refresh_token"])
    if access_token is None:
        return _error(400, "invalid_grant", "The request has an invalid grant parameter : refresh_token")
    answer = {
        "access_token": access_token,
        "refresh_token": form["refresh_token"],
        "token_type": "bearer",
        "expires_in": store.access_token_seconds,
    }
    return JSONResponse(answer, headers={"cache-control": "no-store"})


def _error(status: int, code: str, description: str) -> Response:
    return JSONResponse({"error": code, "error_description": description}, status)
