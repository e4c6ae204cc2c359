"""`motcua demo`: plays drawn acts of half a year (2017) in a new centre, checks the result, and shows a summary."""
