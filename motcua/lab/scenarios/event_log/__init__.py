"""A recorded event log (CSV or XES) as a scenario: read and checked as a whole, then mapped to acts, or rejected."""
