"""The bus, which carries hints between nodes: a port, one bus in memory and one over Redis."""
