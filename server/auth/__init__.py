"""Authentication: one port, and one file for each way to sign in."""
