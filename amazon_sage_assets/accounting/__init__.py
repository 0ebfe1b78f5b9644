"""What each penny is: row registry, VAT treatments, ownership, periods, posting plan. Imports no Dagster."""
