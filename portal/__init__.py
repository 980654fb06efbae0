"""What people see: the portal, and the wiring of its processes."""

VERSION = "0.1.0"
