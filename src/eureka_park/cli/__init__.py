"""The `park` command: words in, words out; the rules are elsewhere."""
