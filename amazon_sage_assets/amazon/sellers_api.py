"""Where the seller sells: the question that shows whether a connection works and whose it is."""

from dataclasses import dataclass

from amazon_sage_assets.amazon.answers import part, rows, text
from amazon_sage_assets.amazon.client import SellingPartner

PARTICIPATIONS = "/sellers/v1/marketplaceParticipations"


@dataclass(frozen=True)
class Participation:
    marketplace_id: str
    marketplace: str
    country: str
    currency: str
    store: str
    is_active: bool


def participations(partner: SellingPartner) -> list[Participation]:
    """Every marketplace of the seller. Raises AmazonRefused for credentials that open nothing."""
    payload = partner.get("getMarketplaceParticipations", PARTICIPATIONS).payload
    found = []
    for fields in rows({"payload": payload}, "payload"):
        place, taking_part = part(fields, "marketplace"), part(fields, "participation")
        found.append(
            Participation(
                marketplace_id=text(place, "id"),
                marketplace=text(place, "name"),
                country=text(place, "countryCode"),
                currency=text(place, "defaultCurrencyCode"),
                store=text(fields, "storeName"),
                is_active=taking_part.get("isParticipating") is True,
            )
        )
    return found
