"""Rescue: words that survive when somebody else rebuilds the block around them."""
