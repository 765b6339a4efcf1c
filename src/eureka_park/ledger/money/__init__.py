"""Money: top-ups, invoices, the bank, payouts."""
