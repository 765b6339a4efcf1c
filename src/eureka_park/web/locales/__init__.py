"""The catalogues of the pages' texts, one folder a language, and what keeps them."""
