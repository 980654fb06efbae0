"""Whether everything that the portal stands on works: each connection and right tried for real, nothing changed.

Pure values (`reports`), one small function a check by what it is about, and `examination`, which asks them all.
"""
