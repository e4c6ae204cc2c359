"""The public surface as lines of text, one line per name, collected from the code. test_surface.py compares it.

Each module collects one or more kinds. Most read the source or find classes by type, so that moved modules need no
edit. The few product modules that are imported by path are imported at the top of one collector only.
"""
