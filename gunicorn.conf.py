"""What gunicorn reads when it is started here. Addresses are logged without their query: it can hold a token."""

# Threads: a list of 200,000 rows streams for half a minute, after which a worker without threads counts as hung.
worker_class = "gthread"
threads = 4
access_log_format = '%(h)s %(l)s %(u)s %(t)s "%(m)s %(U)s %(H)s" %(s)s %(b)s "%(a)s"'
limit_request_line = 8190  # the address of a shortcut that is being made holds all of it, long queries too
