"""Scenarios: the sources of past acts. One is drawn at random (`half_year`), one is read from a file (`event_log`)."""
