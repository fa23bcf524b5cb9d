"""The agents' desk: signing in, the JSON interface, the live feed and the pages. Decisions are in `core.routing` and `core.agents`."""
