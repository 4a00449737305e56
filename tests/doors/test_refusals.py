"""Refusals at the doors: every code has its number, and the page for applications has them all."""

from pathlib import Path

from crdt.errors import Code
from server.doors.close_codes import CLOSE_CODES, helps_to_come_back

PAGE = Path(__file__).parents[2] / "docs/doors.md"


def test_every_refusal_has_a_close_code_that_the_page_explains() -> None:
    assert set(CLOSE_CODES) == set(Code)
    page = PAGE.read_text()
    assert [code for code in CLOSE_CODES.values() if f"| {code} |" not in page] == []


def test_coming_back_helps_where_nothing_is_wrong_with_what_was_sent() -> None:
    passing = {Code.MISSING_PAST, Code.INTERNAL, Code.UNAVAILABLE, Code.CLIENT_ID_TAKEN, Code.DRAINING}
    assert set(filter(helps_to_come_back, Code)) == passing | {Code.TOO_MANY, Code.RATE_LIMITED}
