"""/metrics: what all processes have counted, and how things stand, in Prometheus's words."""
