"""Which Chromium, and what it is told not to do: look for updates, synchronise, use hardware that isn't there."""

import shutil

CHROMIUM = shutil.which("chromium") or "chromium"
"""Debian's, as people have it."""

SHELL = shutil.which("chromium-headless-shell") or CHROMIUM
"""The same engine without windows, profiles and extensions: a fresh browser and a page take half the processor time."""

SWITCHES = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # A page that a test serves by itself has no address, and yet asks a server on this machine.
    "--disable-features=LocalNetworkAccessChecks",
]
