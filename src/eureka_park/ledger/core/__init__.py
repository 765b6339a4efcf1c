"""Pure rules of the ledger, in whole micro-units."""
