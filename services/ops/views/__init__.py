"""Live views of the events: arrivals, stage durations and message outcomes, exact after every failure.

The Faust worker counts events into two tables, whose changelogs are the topics `ops.tallies.v1` and `ops.courses.v1`.
Every ops process reads the whole changelog of the tallies into memory, and answers requests for a view from there.
"""
