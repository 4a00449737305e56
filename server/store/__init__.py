"""Durable storage behind one port: `base` promises, `memory` and `sql` keep."""
