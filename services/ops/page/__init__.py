"""The HTML page of ops: lag, views and backlogs at a glance, in Vietnamese and English."""
