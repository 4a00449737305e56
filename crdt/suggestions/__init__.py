"""Suggestions: what somebody may write who may not change the text, and the proof of that."""
