"""Checking policy JSON. Pure: no Django, no network."""
