"""The ways of a keystroke, a join and a rename stay short: whoever reads them meets few files."""

import pytest

from tests.trace.__main__ import walk

MOST_FILES = {"keystroke": 25, "join": 28, "rename": 25}
MOST_CALLS = 130
"""Of a keystroke."""


@pytest.mark.slow
async def test_the_everyday_ways_are_short() -> None:
    ways = await walk(*MOST_FILES, walks=1)
    files = {name: {file for file, _, _ in calls} for name, calls in ways.items()}
    for name, most in MOST_FILES.items():
        assert len(files[name]) <= most, (name, sorted(files[name]))
    assert sum(n for *_, n in ways["keystroke"]) <= MOST_CALLS
    # The traces are whole: each way ends in the file, and at the others.
    for name in ("keystroke", "rename"):
        assert {"server/store/sqlite/database.py", "server/doors/native/connection.py"} <= files[name], name
    assert "crdt/room/members.py" in files["join"]
