"""The `amazon-sage` command. It reads arguments and prints; what it does is elsewhere."""

from amazon_sage_assets.cli import figures, orders, posting, running, settlements
from amazon_sage_assets.cli.output import app

__all__ = ["app", "figures", "orders", "posting", "running", "settlements"]
