"""What the command says in other languages: one catalogue each, compiled when the park is built."""
