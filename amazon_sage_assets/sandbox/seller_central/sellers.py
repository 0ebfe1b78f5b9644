"""The Sellers API v1: where a seller sells."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from amazon_sage_assets.sandbox.seller_central.plans import MARKETPLACES
from amazon_sage_assets.sandbox.seller_central.store import Seller, SellerCentral


def get_participations(store: SellerCentral, seller: Seller, request: Request) -> Response:
    found = []
    for marketplace_id in seller.marketplace_ids:
        name, country, currency, language = MARKETPLACES[marketplace_id]
        marketplace = {
            "id": marketplace_id,
            "name": name,
            "countryCode": country,
            "defaultCurrencyCode": currency,
            "defaultLanguageCode": language,
            "domainName": f"www.{name.lower()}",
        }
        participation = {"isParticipating": True, "hasSuspendedListings": False}
        found.append({"marketplace": marketplace, "participation": participation, "storeName": seller.name})
    return JSONResponse({"payload": found})
