"""The embedded ends of the line: an SMTP sink and an SMS gateway simulator that keep what they got and misbehave on
request. They stand in for providers on a demo or test centre; nothing leaves the machine."""
