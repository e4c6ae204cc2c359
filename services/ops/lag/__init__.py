"""The lag of the consumer groups, and the events and records of each service that are unpublished or quarantined."""
