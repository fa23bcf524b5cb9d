"""Measures the gateway on this machine, against the same server without any of it. Nothing else imports from here."""
