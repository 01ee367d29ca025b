"""The nouns of the lake: zones in order, addresses, versions, receipts and steps."""
