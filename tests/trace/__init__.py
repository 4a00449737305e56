"""The way of one keystroke, one join, one cursor move and one rename through the server, counted in files and calls."""
