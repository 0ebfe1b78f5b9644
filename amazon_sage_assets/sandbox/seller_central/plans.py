"""Amazon's usage plans and marketplaces, as its documentation states them."""

# Requests per second and burst, by operation.
PLANS: dict[str, tuple[float, int]] = {
    "searchOrders": (0.0056, 20),
    "getOrder": (0.5, 30),
    "getReports": (0.0222, 10),
    "createReport": (0.0167, 15),
    "getReport": (2, 15),
    "getReportDocument": (0.0167, 15),
    "listTransactions": (0.5, 10),
    "listBalances": (0.5, 10),
    "listSummary": (0.5, 10),
    "listPayouts": (0.5, 10),
    "getMarketplaceParticipations": (0.016, 15),
}

# Name, country, currency, language, by marketplace id.
MARKETPLACES: dict[str, tuple[str, str, str, str]] = {
    "A1F83G8C2ARO7P": ("Amazon.co.uk", "GB", "GBP", "en_GB"),
    "A1PA6795UKMFR9": ("Amazon.de", "DE", "EUR", "de_DE"),
    "A13V1IB3VIYZZH": ("Amazon.fr", "FR", "EUR", "fr_FR"),
    "APJ6JRA9NG5V4": ("Amazon.it", "IT", "EUR", "it_IT"),
    "A1RKKUPIHCS9HS": ("Amazon.es", "ES", "EUR", "es_ES"),
    "A1805IZSGTT6HS": ("Amazon.nl", "NL", "EUR", "nl_NL"),
    "AMEN7PMS3EDWL": ("Amazon.com.be", "BE", "EUR", "fr_BE"),
    "A28R8C7NBKEWEA": ("Amazon.ie", "IE", "EUR", "en_IE"),
    "A2NODRKZP88ZB9": ("Amazon.se", "SE", "SEK", "sv_SE"),
    "A1C3SOZRARQ6R3": ("Amazon.pl", "PL", "PLN", "pl_PL"),
    "A33AVAJ2PDY3EV": ("Amazon.com.tr", "TR", "TRY", "tr_TR"),
    "ATVPDKIKX0DER": ("Amazon.com", "US", "USD", "en_US"),
    "A2EUQ1WTGCTBG2": ("Amazon.ca", "CA", "CAD", "en_CA"),
    "A39IBJ37TRP1C6": ("Amazon.com.au", "AU", "AUD", "en_AU"),
    "A1VC38T7YXB528": ("Amazon.co.jp", "JP", "JPY", "ja_JP"),
}
