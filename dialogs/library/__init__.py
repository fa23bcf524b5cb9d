"""The flows that come with the gateway: one folder a library, in the format that every operator's own flows have."""
