"""What Sage's sales order processing needs to know: stock items, warehouses, settings, and whom an order goes to."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from amazon_sage_assets.amazon.orders_api import Recipient
from amazon_sage_assets.sage.client import SageClient
from amazon_sage_assets.sage.outcomes import SageRefused


def nobody(_order_id: str) -> Recipient | None:
    return None


@dataclass(frozen=True)
class SopRecords:
    """One reading. `warehouse_names` is the profile's: `MFN`, `AFN`, or a site before it, such as `Amazon.de AFN`."""

    products: Mapping[str, int] = field(default_factory=dict)
    warehouses: Mapping[str, int] = field(default_factory=dict)
    warehouse_names: Mapping[str, str] = field(default_factory=dict)
    numbers_itself: bool = True
    may_set_nominal: bool = True
    prices_hold_vat: bool = False
    windows_1252: bool = False
    recipient: Callable[[str], Recipient | None] = nobody

    @classmethod
    def read(
        cls,
        client: SageClient,
        products: Mapping[str, int],
        warehouse_names: Mapping[str, str],
        *,
        windows_1252: bool,
        recipient: Callable[[str], Recipient | None],
    ) -> "SopRecords":
        said = client.get("/sop_settings")
        settings = said[0] if isinstance(said, list) else said
        return cls(
            products=products,
            warehouses={str(w["name"]): int(w["id"]) for w in client.read_all("/warehouses", select=("id", "name"))},
            warehouse_names=warehouse_names,
            numbers_itself=bool(settings.get("auto_generate_order_return_numbers", True)),
            may_set_nominal=bool(settings.get("amend_nominal_codes", True)),
            prices_hold_vat=bool(settings.get("are_prices_tax_inclusive", False)),
            windows_1252=windows_1252,
            recipient=recipient,
        )

    def product(self, stock_code: str) -> int:
        """Raises SageRefused."""
        if stock_code not in self.products:
            raise SageRefused(f"Sage has no stock item {stock_code!r} any more. Add it, or correct sku_aliases.csv.")
        return self.products[stock_code]

    def warehouse(self, marketplace: str, fulfilment: str) -> int:
        """Raises SageRefused."""
        name = self.warehouse_names.get(f"{marketplace} {fulfilment}") or self.warehouse_names.get(fulfilment)
        if not name:
            raise SageRefused(
                f"No warehouse is named for {fulfilment} orders of {marketplace}. Add it under [sage.warehouses] in "
                "the profile."
            )
        if name not in self.warehouses:
            raise SageRefused(f"Sage has no warehouse {name!r}, which [sage.warehouses] names for {fulfilment} orders.")
        return self.warehouses[name]
