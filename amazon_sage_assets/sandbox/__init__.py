"""A sample seller, so that the product can be tried without a Seller Central account."""
