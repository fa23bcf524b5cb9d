"""The demo operator: a stand-in for a billing system, so that the gateway can be tried and tested without a real one."""
