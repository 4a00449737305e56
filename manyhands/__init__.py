"""Manyhands as people install it: the command line of the server."""
