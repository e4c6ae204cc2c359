"""`motcua due`: the due date of one case as sentences, or one JSON answer for each case of a JSON Lines file."""
