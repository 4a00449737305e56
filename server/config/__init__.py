"""The settings: declarations (config.py, limits.py, people.py), forms of values, and loading."""

from server.config.config import (
    PREFIX,
    Config,
    Declared,
    Listen,
    all_declared,
    declared,
    parts,
)
from server.config.limits import ConnectionLimits, DocumentLimits, HttpLimits, Rates

__all__ = [
    "PREFIX",
    "Config",
    "ConnectionLimits",
    "Declared",
    "DocumentLimits",
    "HttpLimits",
    "Listen",
    "Rates",
    "all_declared",
    "declared",
    "parts",
]
