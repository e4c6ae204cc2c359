"""The language check: prose and names of the source tree against a list of banned words."""
