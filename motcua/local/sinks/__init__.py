"""Stand-ins for message providers on a demo or test centre: an SMTP sink and an SMS gateway simulator.

They store every message in the inbox instead of sending it, and can be set to fail. No message leaves the machine.
"""
