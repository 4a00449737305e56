"""The server's log: one vocabulary of events, as structured lines on standard error.

Every line is an Event with facts as keys. Facts never hold content, titles, tokens, session or
connection ids, or query strings.
"""

import logging
import re
import sys
from typing import Any, Literal, Protocol, TextIO, cast

import structlog

from server.ration import Ration

Event = Literal[
    # the process
    "server_started",
    "server_draining",
    "service_links_left_out",
    "server_stopped",
    "server_stop_cut_short",
    "fast_lane_off",
    "out_of_files",
    "request_failed",
    "unclean_stop",
    "task_failed",
    # the store
    "store_unreachable",
    "store_back",
    "append_failed",
    "append_late",
    "append_broken",
    "read_failed",
    "unmark_failed",
    # documents
    "document_deleted",
    "visit_not_remembered",
    "access_unread",
    "document_quarantined",
    "document_unchecked",
    "document_unmeasured",
    "replica_in_doubt",
    "updates_set_aside",
    "update_rejected",
    "suggestion_refused",
    "suggestions_unproven",
    "room_broken",
    "document_compacted",
    "compaction_failed",
    "rescue_failed",
    "excerpt_unread",
    "sandbox_not_started",
    "content_unread",
    "broadcast_dropped",
    # other nodes
    "bus_away",
    "bus_back",
    "hint_ignored",
    "node_gone",
    "node_name_taken",
    "heads_unread",
    # people
    "keys_unread",
    "sign_in_failed",
    # mail
    "mail_ended",
    "mail_not_ended",
    "mail_refused",
    "mail_not_sent",
    "mail_not_looked_for",
    # connections
    "connection_behind",
    "connection_aborted",
    "origin_refused",
    "no_door",
    "protocol_error",
    "event_failed",
]
"""Every event that our own code logs. Add an event here to use it."""


class _Say(Protocol):
    def __call__(self, event: Event, **facts: Any) -> Any:
        """Log one event."""


class Logger(Protocol):
    """structlog's logger, limited to the vocabulary."""

    debug: _Say
    """Log an event that helps to find a bug."""

    info: _Say
    """Log an event of ordinary operation."""

    warning: _Say
    """Log an event that an operator may want to look at."""

    error: _Say
    """Log an event that an operator must look at."""

    exception: _Say
    """Log an error with the traceback of the present exception."""


_ODD = re.compile(r"[^\w.:/\[\]-]")


def address_shown(said: str | None) -> str:
    """Return an origin or a host that a stranger said, as a line may hold it."""
    return _ODD.sub("?", (said or "")[:100])


log = cast(Logger, structlog.stdlib.get_logger("manyhands"))


def configure(level: str, form: str, stream: TextIO = sys.stderr) -> None:
    """Write our log lines and those of our libraries to `stream`. `form` is "console" or "json"."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_renderers(form, stream)],
        )
    )
    handler.addFilter(Ration())
    root = logging.getLogger()
    for old in list(root.handlers):
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level.upper())
    _quieten()


def _renderers(form: str, stream: TextIO) -> list[structlog.typing.Processor]:
    if form == "json":
        return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(ensure_ascii=False)]
    return [structlog.dev.ConsoleRenderer(colors=stream.isatty(), exception_formatter=structlog.dev.plain_traceback)]


def _quieten() -> None:
    """Hold back lines of libraries below warnings.

    These lines would tell query strings or session ids, or flood the log. They serve to debug the
    libraries.
    """
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access", "engineio", "socketio", "websockets", "alembic", "PIL"):
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger("uvicorn.error").addFilter(_is_no_farewell)


def _is_no_farewell(record: logging.LogRecord) -> bool:
    """Hold back uvicorn's line about tasks that it cancels at the end.

    At an ordinary stop, some connections are always still open.
    """
    return not str(record.msg).startswith("Cancel %s running task(s)")
