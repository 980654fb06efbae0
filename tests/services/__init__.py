"""What the tests need beside Python: PostgreSQL, Redis and a browser, each found or brought along.

`tests.run` asks for them; pytest only sees their addresses. Whatever cannot be had raises `Missing`.
"""
