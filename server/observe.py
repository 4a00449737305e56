"""What the server says about itself: one vocabulary of events, written as structured lines to standard error.

Every line is an Event with facts as keys. Facts never hold content, titles, tokens, session or
connection ids, or query strings.
"""

import logging
import sys
from typing import Any, Literal, Protocol, TextIO, cast

import structlog

from server.ration import Ration

Event = Literal[
    # the process
    "server_started",
    "server_draining",
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
    "replica_in_doubt",
    "updates_set_aside",
    "update_rejected",
    "room_broken",
    "document_compacted",
    "compaction_failed",
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
    # connections
    "connection_behind",
    "connection_aborted",
    "protocol_error",
    "event_failed",
]
"""Everything that our own code ever logs: whoever needs another word adds it here."""


class Logger(Protocol):
    """structlog's logger, held to the vocabulary."""

    def debug(self, event: Event, **facts: Any) -> Any:
        """For whoever hunts a bug."""

    def info(self, event: Event, **facts: Any) -> Any:
        """In the course of things."""

    def warning(self, event: Event, **facts: Any) -> Any:
        """Something an operator may want to look at."""

    def error(self, event: Event, **facts: Any) -> Any:
        """Something an operator must look at."""

    def exception(self, event: Event, **facts: Any) -> Any:
        """The same, with the traceback of the exception at hand."""


log = cast(Logger, structlog.stdlib.get_logger("manyhands"))


def configure(level: str, form: str, stream: TextIO = sys.stderr) -> None:
    """Send our lines and those of our libraries to one place. `form`: "console" or "json"."""
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
    """Hold back lines of libraries that would tell query strings or session ids, or flood: theirs are for their own debugging."""
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access", "engineio", "socketio", "websockets", "alembic", "PIL"):
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger("uvicorn.error").addFilter(_is_no_farewell)


def _is_no_farewell(record: logging.LogRecord) -> bool:
    """Leave out that some connections did not close by themselves at the end: at an ordinary stop there are always some."""
    return not str(record.msg).startswith("Cancel %s running task(s)")
