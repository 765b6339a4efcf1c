"""Double entry."""

from __future__ import annotations

import pytest

from eureka_park.foundation.errors import Internal
from eureka_park.ledger.core.posting import Posting, Transaction, transfer, unbalanced


def test_a_transfer_balances():
    moved = transfer("k", "why", 0.0, source="a", target="b", commodity="credit", amount_micro=5)
    assert moved.postings == (Posting("a", "credit", -5), Posting("b", "credit", 5))
    assert unbalanced(moved.postings) == {}


def test_what_does_not_balance_cannot_be_made():
    with pytest.raises(Internal) as caught:
        Transaction("k", "why", 0.0, (Posting("a", "credit", -5), Posting("b", "kwh", 5)))
    assert "k" in caught.value.message
