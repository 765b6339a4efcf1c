"""Accounts: people, projects, who may do what, tokens and sign-in."""
