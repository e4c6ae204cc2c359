"""The commands of `motcua`: one file a command or group, which imports what it runs inside its function.

Importing all parts takes seconds, and most commands need few of them.
"""
