"""Awareness as clients are told it: nobody's state is hidden behind the clock of one who went."""

from crdt.ids import ClientId, DocumentId, PresenceId
from crdt.protocol import yprotocols as y
from crdt.protocol.messages import Json, PresenceChange, User
from server.doors.awareness import CLOCK, AwarenessClocks

DOCUMENT = DocumentId("a-document-of-this-story")
USER = User("ann", "Ann", "#123456")


def row(presence_id: int, clock: int | None) -> PresenceChange:
    """One of several connections under client id 7; without a clock it is gone."""
    state: dict[str, Json] | None = None if clock is None else {"cursor": 1, CLOCK: clock}
    return PresenceChange(PresenceId(presence_id), ClientId(7), USER, state)


def told(clocks: AwarenessClocks, *rows: PresenceChange) -> dict[int, tuple[int, bool]]:
    """What a client holds afterwards that heeds clocks: the clock of each client id, and whether it is shown."""
    held: dict[int, tuple[int, bool]] = {}
    for client_id, clock, text in y.read_states(clocks.written(DOCUMENT, rows)):
        last, is_shown = held.get(client_id, (-1, False))
        if clock > last or (clock == last and text == b"null" and is_shown):
            held[client_id] = clock, text != b"null"
    return held


def test_who_comes_and_goes_unseen_hides_nobody() -> None:
    clocks = AwarenessClocks(lambda: 1_900_000_000.0)
    assert told(clocks, row(1, 1)) == {7: (1, True)}
    assert told(clocks, row(1, None), row(2, None), row(3, 2)) == {7: (2, True)}


def test_who_went_does_not_take_along_who_came_under_the_same_client_id() -> None:
    clocks = AwarenessClocks(lambda: 1_900_000_000.0)
    told(clocks, row(1, 1))
    assert told(clocks, row(2, 2), row(1, None)) == {7: (2, True)}
    assert told(clocks, row(2, None), row(3, 2)) == {7: (2, True)}


def test_who_goes_is_told_once() -> None:
    clocks = AwarenessClocks(lambda: 1_900_000_000.0)
    told(clocks, row(1, 1))
    assert told(clocks, row(1, None)) == {7: (1, False)}
    assert told(clocks, row(1, None)) == {}
