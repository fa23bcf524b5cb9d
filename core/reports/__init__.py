"""Questions that people ask of the record; everything here only reads."""
