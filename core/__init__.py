"""The gateway's rules: vocabulary, use cases and store.

Plain synchronous Python. Nothing here awaits, opens a socket, reads the clock or draws a random number:
time and ids are passed in. It imports no other package of the project.
"""
