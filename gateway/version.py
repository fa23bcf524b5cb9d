"""The version of the program, as shown to operators; the same as in pyproject.toml."""

VERSION = "0.1.0"
