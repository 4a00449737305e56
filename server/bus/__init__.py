"""Hints between nodes behind one port: `base` promises, `memory` keeps it within a process."""
