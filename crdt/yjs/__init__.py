"""Yjs' own bytes: updates, their contents and values, and state vectors."""
