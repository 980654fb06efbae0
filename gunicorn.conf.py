"""What gunicorn reads when it is started here."""

# Threads: a list of 200,000 rows streams for half a minute, after which a worker without threads counts as hung.
worker_class = "gthread"
threads = 4
# One line an event on standard error, those about requests among them, without the query of their addresses.
logger_class = "portal.server_log.ServerLog"
limit_request_line = 8190  # the address of a shortcut that is being made holds all of it, long queries too
