"""`motcua demo`: plays the half year through a new centre, compares the result with the draw, and shows a summary."""
