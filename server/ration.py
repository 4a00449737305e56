"""How many lines the log gets of what can happen thousands of times a second: few of each kind, and a count of what was left out.

A stranger can break a protocol, and a database can be away for everybody, far more often than
anybody reads. A log that grows with that fills the disk and hides the rest. The ration stands
before the one handler, so that lines of libraries pass it like our own.

1. Of lines at WARNING and above, each event has LINES in a minute; a library's template is an
   event.
2. Of those events that come with every request while something is wrong, the same line (event,
   kind, reason) comes once in PAUSE.
3. The next line of an event says how many were left out before it, as `left_out`.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field

LINES = 30
"""Lines of one event in a minute."""

PAUSE = 10.0
"""Seconds between two lines that say the same."""

EVENTS = 100
"""Events, and reasons of one event, that are told apart; what comes beyond them counts as one. Only libraries and drivers make so many."""

REPEATED = frozenset(
    {
        "access_unread",
        "append_failed",
        "append_late",
        "connection_aborted",
        "event_failed",
        "heads_unread",
        "hint_ignored",
        "node_name_taken",
        "out_of_files",
        "protocol_error",
        "read_failed",
        "request_failed",
        "sign_in_failed",
        "store_unreachable",
        "unmark_failed",
        "update_rejected",
        "visit_not_remembered",
    }
)
"""Our events that come with every request or message while the same thing is wrong; what libraries say counts among them."""

COUNTED = frozenset({"connection_behind"})
"""Events below WARNING that somebody can bring about at will."""


@dataclass(slots=True)
class _Event:
    minute: int = -1
    lines: int = 0
    left_out: int = 0
    told_at: dict[tuple[object, ...], float] = field(default_factory=dict)


class Ration(logging.Filter):
    """A handler's filter. `clock`: monotonic seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._events: dict[str, _Event] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Let a line through, with a count of those before it that were left out, or leave it out."""
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
