"""What gunicorn reads when it is started here. Addresses are logged without their query: it can hold a token."""

access_log_format = '%(h)s %(l)s %(u)s %(t)s "%(m)s %(U)s %(H)s" %(s)s %(b)s "%(a)s"'
limit_request_line = 8190  # the address of a shortcut that is being made holds all of it, long queries too
