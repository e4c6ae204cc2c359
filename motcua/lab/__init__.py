"""The lab: scenarios of the past, and the commands that play, replay and simulate them."""
