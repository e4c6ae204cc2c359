"""A recorded event log (CSV or XES) as a centre's past: read whole, checked whole, mapped to acts, or refused."""
