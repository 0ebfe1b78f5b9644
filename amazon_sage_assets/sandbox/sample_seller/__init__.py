"""The sample seller, made from a seed: orders, settlement reports, payouts, transactions and bank lines that agree."""

from amazon_sage_assets.sandbox.sample_seller.amazon_orders import amazon_order
from amazon_sage_assets.sandbox.sample_seller.bank import SampleBankLine
from amazon_sage_assets.sandbox.sample_seller.buyers import Buyer
from amazon_sage_assets.sandbox.sample_seller.catalogue import MARKETS, Market, Product
from amazon_sage_assets.sandbox.sample_seller.history import SampleSeller
from amazon_sage_assets.sandbox.sample_seller.orders import SampleItem, SampleOrder, SampleRefund
from amazon_sage_assets.sandbox.sample_seller.payouts import SamplePayout
from amazon_sage_assets.sandbox.sample_seller.settlements import SampleReport
from amazon_sage_assets.sandbox.sample_seller.transactions import to_json

__all__ = [
    "MARKETS",
    "Buyer",
    "Market",
    "Product",
    "SampleBankLine",
    "SampleItem",
    "SampleOrder",
    "SamplePayout",
    "SampleRefund",
    "SampleReport",
    "SampleSeller",
    "amazon_order",
    "to_json",
]
