"""The edge: HTTP in, HTTP out, loops, pages and the command line, all put together in `compose`."""
