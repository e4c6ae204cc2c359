"""Stand-ins for message providers on a demo or test centre: an SMTP sink and an SMS gateway simulator.

They store every message in the inbox and fail on request. No message leaves the machine.
"""
