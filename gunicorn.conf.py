"""What gunicorn reads when it is started here. Addresses are logged without their query: it can hold a token."""

access_log_format = '%(h)s %(l)s %(u)s %(t)s "%(m)s %(U)s %(H)s" %(s)s %(b)s "%(a)s"'
