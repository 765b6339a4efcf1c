"""The ledger: energy by account and hour, credits in double entry, receipts that add up to the meter."""
