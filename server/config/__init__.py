"""The settings: what there is (config.py, people.py), in which forms (forms.py), and how they are read (loading.py)."""

from server.config.config import (
    PREFIX,
    Config,
    ConnectionLimits,
    Cores,
    Declared,
    DocumentLimits,
    HttpLimits,
    Listen,
    Logs,
    Places,
    Rates,
    all_declared,
    declared,
    parts,
)

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
