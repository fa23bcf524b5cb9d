"""Self-service for customers of a telecom operator, in English, French and Swahili."""
