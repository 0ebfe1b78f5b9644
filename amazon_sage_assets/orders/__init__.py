"""From Amazon's orders to Sage's: read, matched, planned; and whom they go to, kept apart."""
