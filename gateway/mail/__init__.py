"""Mails at the gateway: how they come in, are kept, and are read later."""
