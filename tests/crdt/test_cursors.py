"""Cursors in short: whatever states are told, whoever hears of them knows them as they are."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from crdt.ids import ClientId, PresenceId
from crdt.protocol.messages import PresenceMessage, User
from crdt.room.members import PresenceTable

USER = User("u", "U", "#336699")


class Reader:
    """A client of protocol 3 that has joined: the states that it knows, as JSON."""

    def __init__(self, table: PresenceTable) -> None:
        self.states = {row.presence_id: dict(row.state or {}) for row in table.show(PresenceId(99))}

    def hear(self, message: PresenceMessage) -> None:
        for change in json.loads(message.write(3)):
            if isinstance(change, dict):
                presence_id, state = change["presence_id"], change["state"]
            else:
                presence_id, places, *rest = change
                anchor, head = [place_of(place) for place in (places * 2)[:2]]
                state = {**(rest[0] if rest else self.states[presence_id]), "cursor": {"anchor": anchor, "head": head}}
            if state is None:
                self.states.pop(presence_id, None)
            else:
                self.states[presence_id] = state

    @property
    def view(self) -> str:
        return json.dumps(self.states, sort_keys=True)


def place_of(short: list[Any]) -> dict[str, Any]:
    kind, tname, item, assoc = short
    return {"type": id_of(kind), "tname": tname, "item": id_of(item), "assoc": assoc}


def id_of(short: list[int] | None) -> dict[str, int] | None:
    return None if short is None else dict(zip(("client", "clock"), short, strict=True))


# Honest numbers, and what poses as one.
NUMBERS: st.SearchStrategy[Any] = st.sampled_from([0, 1, 7, 2**53 - 1]) | st.sampled_from(
    [2**53, -1, 1.0, True, False, None, "1", [], {}]
)
IDS = st.none() | st.fixed_dictionaries({"client": NUMBERS, "clock": NUMBERS}, optional={"x": NUMBERS})
PLACES = (
    st.fixed_dictionaries({"type": IDS, "tname": st.sampled_from([None, "default", 7]), "item": IDS, "assoc": NUMBERS})
    | st.fixed_dictionaries({}, optional={"type": IDS, "tname": IDS, "item": IDS, "assoc": NUMBERS})
    | NUMBERS
)
SOUND = st.sampled_from([place_of([None, None, [7, clock], 0]) for clock in (1, 2)])
CURSORS = (
    st.fixed_dictionaries({"anchor": SOUND, "head": SOUND})
    | st.fixed_dictionaries({"anchor": PLACES | SOUND, "head": PLACES | SOUND}, optional={"x": NUMBERS})
    | NUMBERS
)
STATES = st.fixed_dictionaries(
    {},
    optional={
        "cursor": CURSORS,
        "color": st.sampled_from(["#00695c", "#b3261e"]),
        "n": NUMBERS,
        "__proto__": NUMBERS,
        "": NUMBERS,
    },
)
MOVES = st.tuples(st.sampled_from([1, 2]), st.none() | STATES)


@given(st.lists(MOVES | st.sampled_from(["tell", "join"]), max_size=24))
def test_whoever_is_told_knows_every_state_whenever_they_came(acts: list[Any]) -> None:
    table, readers = PresenceTable(), list[Reader]()
    for act in [*acts, "join", "tell"]:
        if act == "join":
            readers.append(Reader(table))
        elif act == "tell":
            message = table.message(table.take_changes())
            for reader in readers:
                reader.hear(message)
            assert {reader.view for reader in readers} <= {Reader(table).view}
        else:
            number, state = act
            if state is None:
                table.remove(PresenceId(number))
            else:
                table.put(PresenceId(number), ClientId(number), USER, state)


def test_a_caret_that_moves_takes_forty_bytes() -> None:
    table = PresenceTable()
    for clock in (1, 2):
        place = place_of([None, None, [3_735_928_559, clock], 0])
        state: dict[str, Any] = {"color": "#00695c", "cursor": {"anchor": place, "head": place}}
        table.put(PresenceId(7), ClientId(7), USER, state)
        text = table.message(table.take_changes()).write(3)
    assert len(text) <= 40
