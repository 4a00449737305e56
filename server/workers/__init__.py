"""Several nodes on one machine: a parent that takes connections and passes each to one of its workers, which are whole nodes.

Rules:

1. **No byte is proxied.** The parent reads a connection's first line, and hands the connection itself over; it never hears of it again.
2. **People of one document meet in one worker**, as long as that worker is there. Everything works, dearer, when they don't.
3. **A worker may die at any time**: it is started again, and its people connect anew. When the parent dies, its workers stop in good order.
"""

from server.workers.parent import run_workers

__all__ = ["run_workers"]
