"""From the posting plan to Sage: queued, approved, sent, proven."""
