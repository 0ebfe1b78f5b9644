"""From the settlement to the bank: what Sage's banks show, what Amazon says of its payouts, and which is which."""
