"""How an installation is described: typed settings, where they come from, and the key that secrets of the demo derive from."""
