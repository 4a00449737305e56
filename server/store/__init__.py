"""Store: durable storage behind one port. `base` declares the port, and `sql` implements it."""
