"""The rules of a dossier's life: pure, synchronous, without a clock of their own."""
