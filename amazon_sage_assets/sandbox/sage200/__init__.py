"""A simulated Sage 200: the API of one company over books that balance, in one file."""

from amazon_sage_assets.sandbox.sage200.books import Books
from amazon_sage_assets.sandbox.sage200.options import Options
from amazon_sage_assets.sandbox.sage200.refusals import Refused
from amazon_sage_assets.sandbox.sage200.server import BASE, create_app

__all__ = ["BASE", "Books", "Options", "Refused", "create_app"]
