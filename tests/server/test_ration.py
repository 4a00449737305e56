"""How many lines a flood leaves in the log."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from server import observe
from server.observe import log
from server.ration import EVENTS, LINES, PAUSE, Ration

library = logging.getLogger("uvicorn.error")


class Log:
    """The configured log, on a clock of the test's own."""

    def __init__(self) -> None:
        self.out = io.StringIO()
        self.now = 0.0
        observe.configure("info", "json", self.out)
        (handler,) = logging.getLogger().handlers
        handler.filters[:] = [Ration(lambda: self.now)]

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.getvalue().splitlines()]


@pytest.fixture
def written() -> Iterator[Log]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield Log()
    root.handlers, root.level = handlers, level
    structlog.reset_defaults()


def test_the_same_refusal_of_everybody_is_one_line_and_a_count(written: Log) -> None:
    for _ in range(344):
        log.error("request_failed", reason="The database does not answer.")
    log.error("request_failed", reason="Something else.")
    written.now = PAUSE
    log.error("request_failed", reason="The database does not answer.")
    assert [(line["reason"], line.get("left_out", 0)) for line in written.lines] == [
        ("The database does not answer.", 0),
        ("Something else.", 343),
        ("The database does not answer.", 0),
    ]


def test_what_a_library_says_of_each_request_is_one_line_and_a_count(written: Log) -> None:
    for _ in range(10_000):
        library.warning("Invalid HTTP request received.")
    written.now = PAUSE
    library.warning("Invalid HTTP request received.")
    assert [line["event"] for line in written.lines] == [
        "Invalid HTTP request received.",
        "Invalid HTTP request received. (left_out=9999)",
    ]


@pytest.mark.slow
def test_lines_that_differ_in_what_strangers_say_are_few_as_well(written: Log) -> None:
    for number in range(10_000):
        log.warning("protocol_error", kind=f"kind {number}")
        library.error(f"dynamic {number}")
    assert len(written.lines) <= 2 * LINES + EVENTS
    assert sum(line["event"] == "protocol_error" for line in written.lines) == LINES


def test_what_happens_in_the_course_of_things_is_all_there(written: Log) -> None:
    for number in range(1000):
        log.info("document_compacted", rows=number)
    assert len(written.lines) == 1000


def test_a_flood_of_one_kind_hides_no_other(written: Log) -> None:
    for _ in range(1000):
        log.warning("protocol_error", kind="a frame is too long")
    log.error("room_broken", document="a-document")
    assert written.lines[-1]["event"] == "room_broken"


def test_what_was_left_out_before_is_added(written: Log) -> None:
    log.warning("protocol_error", kind="a", left_out=0)
    log.warning("protocol_error", kind="a", left_out=5)
    written.now = PAUSE
    log.warning("protocol_error", kind="a", left_out=7)
    assert [line["left_out"] for line in written.lines] == [0, 13]
