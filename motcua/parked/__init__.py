"""`motcua parked`: the records that wait for an operator, and what becomes of them."""
