"""The bridge between Amazon Seller Central and Sage 200."""
