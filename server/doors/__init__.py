"""Doors: the ways by which people's programs reach the rooms."""
