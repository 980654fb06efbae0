"""The simulated services: each a table from operation name to a function of a `Call`."""
