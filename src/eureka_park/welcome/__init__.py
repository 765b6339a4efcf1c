"""The three jobs that greet a newcomer: real work, standard library alone, one per tier."""
