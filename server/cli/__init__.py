"""Commands' work, one file for each command. server/__main__.py declares the commands."""


class CannotDo(Exception):
    """Nothing was changed. The text is a sentence for the operator."""
