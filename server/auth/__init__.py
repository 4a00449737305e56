"""Who somebody is: one port, and a way to sign in per file."""
