"""Giving access: what somebody means, whether he may, what would come of it, and the records that say so."""
