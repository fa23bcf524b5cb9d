"""Understands raw mail: who wrote to whom, what is new in it, what is attached, and whether a person wrote at all.

Pure functions of bytes with caps on everything a sender can repeat; `parse.parse` is the door. Must not open a connection, read a
clock, or fail: whatever the bytes, the answer is a `model.Mail`.
"""
