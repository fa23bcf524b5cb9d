"""Attachments at the gateway: fetched from providers, judged by their content, kept, and served."""
