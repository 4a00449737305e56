"""The settings: what there is (config.py, limits.py, people.py), in which forms (forms.py), and how they are read (loading.py)."""

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
