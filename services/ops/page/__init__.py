"""The HTML page of ops, which shows lag, live views and backlogs in Vietnamese and English."""
