"""Ports for servers that are to come back at the same address."""

import random
import socket


def quiet_port() -> int:
    """A free port that the system hands to nobody meanwhile: outside the range it takes ports for outgoing connections from."""
    chance = random.SystemRandom()
    while True:
        port = chance.randrange(20_000, 32_000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
