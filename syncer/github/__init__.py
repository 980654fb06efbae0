"""`/sync` on GitHub: what was asked for, by whom, how it is found, and what is answered."""
