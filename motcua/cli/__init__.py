"""The commands of `motcua`: one module per command or group of commands.

The function of a command imports what it needs when it is called. Importing everything at start would take seconds, and
most commands need only a small part.
"""
