"""Amazon's marketplaces as settlement files name them: where each is, for VAT, and the currency it settles in."""

from dataclasses import dataclass

UK = "GB"
EU = "EU"
ELSEWHERE = "ELSEWHERE"

EU_COUNTRIES = frozenset(
    ("AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IT", "LT", "LU", "LV")
    + ("MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK")
)


@dataclass(frozen=True)
class Marketplace:
    """`region` is GB, EU or ELSEWHERE; `local_fees`: Amazon bills its fees there with local tax inside."""

    name: str
    country: str
    currency: str
    local_fees: bool = False

    @property
    def region(self) -> str:
        if self.country == "GB":
            return UK
        return EU if self.country in EU_COUNTRIES else ELSEWHERE


MARKETPLACES = {
    m.name: m
    for m in (
        Marketplace("Amazon.co.uk", "GB", "GBP"),
        Marketplace("Amazon.de", "DE", "EUR"),
        Marketplace("Amazon.fr", "FR", "EUR"),
        Marketplace("Amazon.it", "IT", "EUR"),
        Marketplace("Amazon.es", "ES", "EUR"),
        Marketplace("Amazon.nl", "NL", "EUR"),
        Marketplace("Amazon.com.be", "BE", "EUR"),
        Marketplace("Amazon.ie", "IE", "EUR"),
        Marketplace("Amazon.se", "SE", "SEK"),
        Marketplace("Amazon.pl", "PL", "PLN", local_fees=True),
        Marketplace("Amazon.com.tr", "TR", "TRY", local_fees=True),
        Marketplace("Amazon.com", "US", "USD"),
        Marketplace("Amazon.ca", "CA", "CAD"),
        Marketplace("Amazon.com.mx", "MX", "MXN"),
        Marketplace("Amazon.com.br", "BR", "BRL"),
        Marketplace("Amazon.com.au", "AU", "AUD"),
        Marketplace("Amazon.co.jp", "JP", "JPY"),
        Marketplace("Amazon.sg", "SG", "SGD"),
        Marketplace("Amazon.in", "IN", "INR"),
        Marketplace("Amazon.ae", "AE", "AED"),
        Marketplace("Amazon.sa", "SA", "SAR"),
        Marketplace("Amazon.eg", "EG", "EGP"),
    )
}
