"""Models of the delivery protocol: small state machines that a test explores completely."""
