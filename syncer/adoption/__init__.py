"""Bringing what AWS has already under Genkan: what fits, what is written into kintone, and the tag at the end."""
