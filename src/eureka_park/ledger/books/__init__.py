"""The books: transactions in double entry, what each account holds, and sums by day."""
