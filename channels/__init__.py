"""One module a kind of channel: it checks, parses, renders and sends. It never touches the store, never retries, never logs."""
