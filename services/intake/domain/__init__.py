"""The rules of a dossier's life cycle: pure and synchronous, without HTTP, SQL, broker or clock."""
