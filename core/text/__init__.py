"""What any part may need to know about text on its way to a phone: how it is counted, made fit and cut."""
