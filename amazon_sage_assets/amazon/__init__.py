"""What Seller Central sends, read into exact rows. Imports no Dagster."""
