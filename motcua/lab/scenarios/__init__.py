"""Scenarios: where the acts of a past come from."""
