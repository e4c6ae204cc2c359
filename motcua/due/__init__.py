"""Due dates by a centre's calendar: one as sentences, or one for each JSON line (`motcua due`)."""
