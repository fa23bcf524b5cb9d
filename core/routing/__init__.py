"""What agents do with hand-overs: take, answer, note, give back, close. Units of work of a transaction, without network or clock."""
