"""What people type. A form keeps it; whether it makes sense is decided by the services."""
