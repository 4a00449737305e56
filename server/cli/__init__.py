"""What the command line does, a file for each command; the commands themselves are in server/__main__.py."""
