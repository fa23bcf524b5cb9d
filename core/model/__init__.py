"""The vocabulary that every package shares: frozen values without behaviour of their own."""
