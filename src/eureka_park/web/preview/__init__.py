"""Looking into foreign files without trusting them: what they are, texts, tables, tensors. Bounded."""
