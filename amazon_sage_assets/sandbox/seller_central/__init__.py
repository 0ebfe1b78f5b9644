"""A simulated Seller Central over loopback HTTP: it behaves as Amazon's Selling Partner API does, quotas included."""

from amazon_sage_assets.sandbox.seller_central.app import create_app
from amazon_sage_assets.sandbox.seller_central.store import SellerCentral

__all__ = ["SellerCentral", "create_app"]
