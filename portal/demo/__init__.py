"""`manage.py demo`: the portal with simulators, a worker and beat, started from nothing and ended together.

The simulators are started as processes (`manage.py simulate`), like everything else: the portal imports none of them.
"""
