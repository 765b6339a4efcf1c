"""Credits that projects are given: grants, budgets, and what goes back."""
