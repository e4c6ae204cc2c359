"""The proof that nothing was lost, doubled, reordered or decided otherwise than the rules say; read-only."""
