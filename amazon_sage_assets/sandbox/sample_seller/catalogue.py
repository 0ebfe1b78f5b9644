"""What the sample company sells and where."""

from dataclasses import dataclass

from amazon_sage_assets.money import BASIS_POINTS, round_half_up

UNMATCHED_SKU = "CK-GIFT-SET-24"
NO_VAT_SKU = "CK-VOUCHER-ENV"
MULTI_PACK_SKU = "CK-FILTER-6-X2"


@dataclass(frozen=True)
class Market:
    """One seller account of the sample company and the marketplace it sells on."""

    account: str
    marketplace: str
    marketplace_id: str
    country: str
    currency: str
    order_prefixes: tuple[str, ...]
    seller_id: str
    account_tail: str  # last digits of the bank account that Amazon pays into
    bank: str
    wallet: str
    orders_a_day: tuple[int, int]  # fewest and most, at scale 1
    first_start: tuple[int, str]  # days from the anchor and the time of day at which the first settlement starts
    sends_itself: bool  # some orders are sent by the company, not by Amazon
    vat_withheld: bool  # Amazon keeps the buyer's VAT and pays it itself

    @property
    def is_base(self) -> bool:
        return self.currency == "GBP"


MARKETS = {
    market.account: market
    for market in (
        Market(
            "uk", "Amazon.co.uk", "A1F83G8C2ARO7P", "GB", "GBP", ("202", "203", "204", "205", "206"), "A2SAMPLEUK001",
            "4417", "main", "wallet", (8, 15), (-3, "06:10:11"), sends_itself=True, vat_withheld=False,
        ),
        Market(
            "de", "Amazon.de", "A1PA6795UKMFR9", "DE", "EUR", ("028", "302", "303", "304", "305"), "A2SAMPLEDE001",
            "9062", "main_eur", "wallet_eur", (4, 9), (-2, "08:00:00"), sends_itself=False, vat_withheld=True,
        ),
    )
}  # fmt: skip


@dataclass(frozen=True)
class Product:
    """One seller SKU. Prices are what the buyer pays, VAT inside, in pence or cents by account.

    `stock_code` is the Sage stock code, None where nobody has matched the SKU yet; one sold is `units_per_sku` of it.
    `vat_category_known`: whether the stock item has a tax code in Sage. `fulfilments` says who may send it.
    """

    sku: str
    asin: str
    stock_code: str | None
    title: str
    gross_pence: dict[str, int]
    vat_bp: dict[str, int]
    fba_fee_pence: dict[str, int]
    fulfilments: tuple[str, ...] = ("AFN", "MFN")
    units_per_sku: int = 1
    vat_category_known: bool = True

    def __hash__(self) -> int:
        return hash(self.sku)

    def currency(self, account: str) -> str:
        return MARKETS[account].currency


def _product(
    sku: str, asin: str, title: str, pounds: int, euros: int, fee: int, uk_vat: int = 2000, own: str | None = "same",
    fulfilments: tuple[str, ...] = ("AFN", "MFN"), units: int = 1, vat_category_known: bool = True,
) -> Product:  # fmt: skip
    return Product(
        sku, asin, sku if own == "same" else own, title, {"uk": pounds, "de": euros}, {"uk": uk_vat, "de": 1900},
        {"uk": fee, "de": fee + 62}, fulfilments, units, vat_category_known,
    )  # fmt: skip


PRODUCTS = (
    _product("CK-KETTLE-1L", "B0CKETTL1L", "Calm Kettle, stovetop, 1 litre, brushed steel", 2499, 2990, 314),
    _product("CK-KETTLE-2L", "B0CKETTL2L", "Calm Kettle, stovetop, 2 litres, brushed steel", 3999, 4690, 402),
    _product("CK-TEAPOT", "B0CKTEAPOT", "Stoneware teapot with infuser, 0.8 litre", 1850, 2195, 298),
    _product("CK-MUG-4", "B0CKMUG004", "Stoneware mugs, set of four", 2250, 2590, 371),
    _product("CK-FILTER-6", "B0CKFILTR6", "Limescale filters, pack of six", 799, 949, 171),
    _product("CK-LID", "B0CKLID001", "Spare lid with knob", 450, 590, 149),
    _product("CK-DESCALER", "B0CKDESCAL", "Citric descaler, 3 sachets", 625, 750, 163),
    _product("CK-COSY", "B0CKCOSY01", "Quilted tea cosy, grey", 1295, 1490, 214),
    # Loose tea is food: no VAT in the UK. It is sent by the company alone.
    _product("CK-TEA-ASSAM", "B0CKTEAASM", "Loose Assam tea, 250 g", 895, 0, 0, uk_vat=0, fulfilments=("MFN",)),
    # Listed in a hurry: no Sage stock item stands behind it yet.
    _product(UNMATCHED_SKU, "B0CKGIFT24", "Gift set: kettle, teapot, two mugs", 6499, 0, 0, own=None, fulfilments=()),
    # Nobody has decided what VAT a voucher bears, so its stock item has no tax code.
    _product(NO_VAT_SKU, "B0CKVOUCH1", "Gift voucher for loose tea, in a lined envelope", 1500, 0, 0, uk_vat=0,
             fulfilments=(), vat_category_known=False),
    # One stock item sold two at a time under a SKU of its own.
    _product(MULTI_PACK_SKU, "B0CKFLTR12", "Limescale filters, two packs of six", 1499, 0, 0, own="CK-FILTER-6",
             fulfilments=(), units=2),
)  # fmt: skip
BY_SKU = {product.sku: product for product in PRODUCTS}


def offered(account: str, fulfilment: str) -> tuple[Product, ...]:
    """What a buyer on this account's marketplace can order, sent like that."""
    return tuple(p for p in PRODUCTS if fulfilment in p.fulfilments and p.gross_pence[account])


def vat_inside(gross_pence: int, rate_bp: int) -> int:
    """The VAT inside a price, in pence."""
    return round_half_up(gross_pence * rate_bp, BASIS_POINTS + rate_bp)
