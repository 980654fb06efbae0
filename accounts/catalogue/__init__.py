"""The places of the AWS console that shortcuts lead to, as data: built into URLs, and recognised in them. Pure.

AWS documents none of these addresses, so they are templates that an admin can change, not code.
"""
