"""Permission sets that change: who may, what it does, under which name, and what was in force before."""
