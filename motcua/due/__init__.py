"""`motcua due`: due dates by a centre's calendar, one at a time in sentences, or line by line from JSON."""
