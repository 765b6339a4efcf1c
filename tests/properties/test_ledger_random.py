"""Whatever is done in whatever order, and wherever it is cut off: the books are sound. The helper does 10,000."""

from __future__ import annotations

from tests.helpers.random_books import RandomBooks


def test_the_books_are_sound_after_random_deeds_cut_off_anywhere(database):
    books = RandomBooks(database, seed=7)
    for _ in range(150):
        books.step()
    assert books.ledger.verify() == []
    assert books.n_crashes > 10 and books.n_jobs > 15 and books.n_refused > 3
