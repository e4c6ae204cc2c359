"""Read-only checks of a centre: no event is lost, duplicated or out of order, and decisions follow from the rules."""
