"""Commands that play, replay and simulate a centre's past, and the scenarios of the past that they use."""
