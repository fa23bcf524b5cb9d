"""Dialogs: flows as data and the engine that runs them. Pure: no clock, randomness, network or store; time and ids are passed in."""
