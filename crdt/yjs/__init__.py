"""Yjs' own bytes: updates, their contents and values, state vectors; read strictly, written rarely."""
