"""The page of ops for people: what it shows, in which words, and who may see it."""
