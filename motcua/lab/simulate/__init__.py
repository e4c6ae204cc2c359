"""`motcua simulate`: applies other rules of the general counter to past arrivals, and compares the results."""
