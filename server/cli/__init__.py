"""Commands' work, one file for each command. server/__main__.py declares the commands."""
