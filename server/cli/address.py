"""The server's address: the listening socket, the limit on open files, the lines for people."""

import errno
import os
import resource
import signal
import socket
from collections.abc import Callable

from server.config import Config
from server.config.forms import is_loopback
from server.config.loading import version
from server.observe import log

SPARE = 512
"""HTTP requests beside the Socket.IO connections, and open files beside both."""

_NO_ROOM = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
"""Errors that mean that no connection can be accepted now."""


class CannotStart(Exception):
    """The server cannot start. The text is a sentence for the operator."""


def bind(host: str, port: int) -> socket.socket:
    """Listen on an address. Raises CannotStart.

    Clients that connect from now on wait until the server is ready.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError:
        raise CannotStart(
            f"There is no address for the name {host}. Set MANYHANDS_HOST to an address of this machine."
        ) from None
    # A name like localhost may have addresses of both families: IPv4 goes first.
    family, *_, address = min(found, key=lambda each: each[0] != socket.AF_INET)
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # uvloop sets it on each connection. asyncio does so only for a listener made for TCP.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        listener.bind(address)
        listener.listen(2048)
    except OSError as error:
        listener.close()
        raise CannotStart(_why_not(error, host, port)) from error
    listener.setblocking(False)
    return listener


def _why_not(error: OSError, host: str, port: int) -> str:
    match error.errno:
        case errno.EADDRINUSE:
            return f"Port {port} on {host} is in use: another server runs there. Stop it, or choose another MANYHANDS_PORT."
        case errno.EACCES:
            return f"Port {port} is reserved for the system's administrator. Choose a MANYHANDS_PORT above 1023."
        case errno.EADDRNOTAVAIL:
            return f"{host} is not an address of this machine. Set MANYHANDS_HOST to one that is."
        case _:
            return f"Cannot listen on {host}, port {port}: {error.strerror}."


def allow_open_files(wanted: int) -> None:
    """Raise the soft limit on open files, which is often far below what the settings allow."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        lifted = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, lifted), hard))


def tell_if_out_of_files() -> None:
    """Log that connections are refused because no file can be opened.

    The event loop closes such connections without a log line.
    """
    try:
        os.close(os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC))
    except OSError as error:
        if error.errno in _NO_ROOM:
            limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
            reason = f"{error.strerror}: new connections are closed. Raise the limit (ulimit -n), or lower MANYHANDS_MAX_CONNECTIONS."
            log.error("out_of_files", limit=limit, reason=reason)


def more_signals() -> list[signal.Signals]:
    """Return the signals beside SIGTERM and SIGINT that end the server.

    A signal that is ignored from the start, as under nohup, is not among them.
    """
    return [number for number in (signal.SIGHUP, signal.SIGQUIT) if signal.getsignal(number) is not signal.SIG_IGN]


_WELCOMES = {
    "guest": "Everybody who reaches this address may come in as a guest: make documents, and open those that are shared by link.",
    "jwt": "People come in with tokens that another application signs.",
    "oidc": "People come in by signing in with the identity provider.",
}


def introduce(config: Config, port: int, say: Callable[[str], None]) -> None:
    """Say where the server is, where the documents are, and how people come in."""
    from server.store.sql import place_of, url_of  # the port is taken before the store is imported

    host = f"[{config.listen.host}]" if ":" in config.listen.host else config.listen.host
    say(f"Manyhands {version()} is at http://{host}:{port}")
    say(f"The documents are in {place_of(url_of(config.places.database_url, config.places.data_dir))}")
    say(_WELCOMES[config.people.auth])
    if not is_loopback(config.listen.host):
        say("The server listens to other machines, unencrypted: put a proxy that speaks TLS in front of it.")
    log.info("server_started", version=version(), port=port)
