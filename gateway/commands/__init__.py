"""The subcommands of `parley`, one module each with a click command named `command`."""
