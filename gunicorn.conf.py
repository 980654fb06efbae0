"""What gunicorn reads when it is started here."""

# Threads: a list of 200,000 rows streams for half a minute, after which a worker without threads counts as hung.
worker_class = "gthread"
threads = 4
# Longer than a load balancer keeps an idle connection (60 seconds is usual): whoever closes first must be the one who
# asks, or a request meets the end of its connection and its sender gets an error.
keepalive = 75
# One line an event on standard error, those about requests among them, without the query of their addresses.
logger_class = "portal.server_log.ServerLog"
limit_request_line = 8190  # the address of a shortcut that is being made holds all of it, long queries too
