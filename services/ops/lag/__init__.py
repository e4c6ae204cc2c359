"""Lag of the consumer groups, and what each service has not published or has quarantined."""
