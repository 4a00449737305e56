"""Which Chromium, and what it is told not to do: look for updates, synchronise, use hardware that isn't there."""

CHROMIUM = "/usr/bin/chromium"

SWITCHES = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
