"""How long the expensive things take at the size of a large company: `make bench`. Not part of `make test`."""
