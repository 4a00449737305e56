"""Rations of log lines: a few lines of each event, and a count of the lines that were left out.

Strangers can break a protocol thousands of times a second, and so can a database that is away for
everybody. A log that grows with that fills the disk and hides other lines. The ration filters the
only handler, so it includes the lines of libraries.

1. At WARNING and above, each event gets LINES lines a minute. A library's template counts as an
   event.
2. Some events come with every request while something is wrong. The same line of such an event
   (event, kind, reason) comes once in PAUSE.
3. The next line of an event says how many were left out before it, as `left_out`.
"""

import logging
import time
from collections.abc import Callable

from msgspec import Struct, field

LINES = 30
"""Lines of one event in a minute."""

PAUSE = 10.0
"""Seconds between two equal lines."""

EVENTS = 100
"""Events, and reasons of one event, that are told apart. All beyond them count as one.

Only libraries and drivers make so many.
"""

REPEATED = frozenset(
    {
        "access_unread",
        "append_failed",
        "append_late",
        "broadcast_dropped",
        "connection_aborted",
        "event_failed",
        "heads_unread",
        "hint_ignored",
        "no_door",
        "node_name_taken",
        "origin_refused",
        "out_of_files",
        "protocol_error",
        "read_failed",
        "request_failed",
        "sign_in_failed",
        "store_unreachable",
        "suggestions_unproven",
        "unmark_failed",
        "update_rejected",
        "visit_not_remembered",
    }
)
"""Our events that come with every request or message while the same thing is wrong.

All lines of libraries are treated in the same way.
"""

COUNTED = frozenset({"connection_behind", "no_door", "suggestion_refused"})
"""Events below WARNING that strangers can cause at will."""


class _Event(Struct):
    minute: int = -1
    lines: int = 0
    left_out: int = 0
    told_at: dict[tuple[object, ...], float] = field(default_factory=dict)


class Ration(logging.Filter):
    """A handler's filter. `clock` returns monotonic seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._events: dict[str, _Event] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Let a line through, with the count of lines left out before it, or leave the line out."""
        facts = record.msg if isinstance(record.msg, dict) else None
        name = str(facts.get("event")) if facts is not None else f"{record.name} {record.msg}"
        if record.levelno < logging.WARNING and name not in COUNTED:
            return True
        event = self._event(name)
        if not self._may_pass(event, name, facts):
            event.left_out += 1 + (0 if facts is None else int(facts.get("left_out", 0)))
            return False
        left_out, event.left_out = event.left_out, 0
        if facts is not None:
            if left_out or "left_out" in facts:
                record.msg = {**facts, "left_out": left_out + int(facts.get("left_out", 0))}
        elif left_out:
            record.msg, record.args = f"{record.getMessage()} (left_out={left_out})", None
        return True

    def _event(self, name: str) -> _Event:
        if name not in self._events and len(self._events) >= EVENTS:
            name = ""
        return self._events.setdefault(name, _Event())

    def _may_pass(self, event: _Event, name: str, facts: dict[str, object] | None) -> bool:
        now = self._clock()
        minute = int(now // 60)
        if minute != event.minute:
            event.minute, event.lines = minute, 0
        if event.lines >= LINES:
            return False
        if facts is None or name in REPEATED:
            said = () if facts is None else (facts.get("kind"), facts.get("reason"))
            if now - event.told_at.get(said, -PAUSE) < PAUSE:
                return False
            if len(event.told_at) >= EVENTS:
                event.told_at.clear()
            event.told_at[said] = now
        event.lines += 1
        return True
