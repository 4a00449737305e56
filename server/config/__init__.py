"""The settings: what there is (config.py, limits.py, people.py), in which forms (forms.py), and how they are read (loading.py)."""

from server.config.config import (
    PREFIX,
    Config,
    Cores,
    Declared,
    Listen,
    Logs,
    Places,
    all_declared,
    declared,
    parts,
)
from server.config.limits import ConnectionLimits, DocumentLimits, HttpLimits, Rates

__all__ = [
    "PREFIX",
    "Config",
    "ConnectionLimits",
    "Cores",
    "Declared",
    "DocumentLimits",
    "HttpLimits",
    "Listen",
    "Logs",
    "Places",
    "Rates",
    "all_declared",
    "declared",
    "parts",
]
