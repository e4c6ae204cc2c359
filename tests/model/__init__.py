"""Models of the delivery protocol: small state machines that a test explores completely.

`log_loss` is the model of a protocol that the code does not have yet.
"""
