"""Joining: what one session wrote between two rows is one update, and means the same."""

from random import Random

import pytest
from pycrdt import Text

from crdt.gate.gate import Knowledge
from crdt.gate.joining import MOST_BYTES, Joined, join
from crdt.gate.shapes import MOST_TEXTS, is_plain_text
from crdt.gate.typing_runs import Keystroke
from crdt.yjs.contents import XML_ELEMENT
from crdt.yjs.reader import Inspected, inspect
from tests.crdt.test_typing_runs import ALICE, BOB, LIMITS, anybody, facts, made_of, read, session, typing
from tests.harness.update_writer import mark, shared, text, update
from tests.harness.yjs_oracle import YjsOracle


def both(*more: bytes) -> tuple[Knowledge, list[Inspected]]:
    """Make a gate that knows a text of Alice's and one of Bob's, and lets more updates in."""
    knowledge, admitted = Knowledge(LIMITS), list[Inspected]()
    for each in (
        update({ALICE: (0, [text("hello", parent="t")])}),
        update({BOB: (0, [text("there", left=(ALICE, 4))])}),
        *more,
    ):
        admitted.append(read(knowledge, each))
        knowledge.admit(admitted[-1:], anybody)
    return knowledge, admitted[2:]


def between(client: int, clock: int, typed: str, left: tuple[int, int]) -> bytes:
    return update({client: (clock, [text(typed, left=left, right=(left[0], left[1] + 1))])})


@pytest.mark.parametrize("seed", range(20))
def test_joined_edits_are_the_same_document(yjs: YjsOracle, seed: int) -> None:
    """Rows may have any length, with other people's edits in between."""
    log, chance, knowledge = session(seed), Random(seed), Knowledge(LIMITS)
    rows: list[list[tuple[int, Inspected]]] = [[]]
    for author, each in log:
        if chance.random() < 0.1:
            rows.append([])
        inspected = read(knowledge, each)
        if knowledge.admit([inspected], anybody).news:  # a second deletion of the same, by somebody else, is not
            rows[-1].append((author, inspected))
    joined = [each for row in rows for each in join(row)]
    assert len(joined) < sum(map(len, rows)) / 2
    assert any(
        isinstance(each, Joined) and each.deletions and len(each.structs[0]) > 1 for each in joined if each.structs
    )
    replayed = Knowledge(LIMITS)
    for one_or_more in joined:
        inspected = inspect(one_or_more.raw, LIMITS)
        assert facts(one_or_more) == facts(inspected)
        assert replayed.admit([inspected], anybody).news
    assert replayed.state_vector == knowledge.state_vector
    raw, written = [each.raw for each in joined], [each for _, each in log]
    assert yjs.view(raw) == yjs.view(written)
    one, other = made_of(written), made_of(raw)
    assert str(one.get("text", type=Text)) == str(other.get("text", type=Text))
    assert yjs.view([one.get_update()]) == yjs.view([other.get_update()])


def test_corrections_and_deletions_at_many_places_are_one_update_of_their_author() -> None:
    _, (a, b, c, d, e) = both(
        between(ALICE, 5, "x", (ALICE, 0)),
        between(BOB, 5, "y", (BOB, 1)),
        update({}, {BOB: [(3, 1)], ALICE: [(1, 1)]}),
        between(BOB, 6, "z", (BOB, 3)),
        update({ALICE: (6, [text("w", left=(ALICE, 3), right=(ALICE, 4))])}, {ALICE: [(2, 1)]}),
    )
    alices, bobs = join([("alice", a), ("bob", b), ("alice", c), ("bob", d), ("alice", e)])
    assert (alices.clients, bobs.clients) == ([(ALICE, 5, 7)], [(BOB, 5, 7)])
    assert alices.deletions == ((BOB, ((3, 4),)), (ALICE, ((1, 3),)))
    assert isinstance(alices, Joined)
    assert alices.parts == (a, c, e)
    assert facts(alices) == facts(inspect(alices.raw, LIMITS))
    assert is_plain_text(bobs)
    assert not is_plain_text(alices)
    assert len(alices.raw) < len(a.raw) + len(c.raw) + len(e.raw)


def test_nothing_moves_in_front_of_what_it_refers_to() -> None:
    beside = between(ALICE, 6, "w", (BOB, 5))
    gone = update({}, {BOB: [(5, 1)]})
    for later in (beside, gone):
        _, (a, b, c) = both(
            between(ALICE, 5, "x", (ALICE, 0)), update({BOB: (5, [text("yy", left=(BOB, 1), right=(BOB, 2))])}), later
        )
        assert join([("alice", a), ("bob", b), ("alice", c)]) == (a, b, c)
    # The next one goes on with what stands behind all that it needs.
    _, (a, b, c, d) = both(
        between(ALICE, 5, "x", (ALICE, 0)),
        update({BOB: (5, [text("yy", left=(BOB, 1), right=(BOB, 2))])}),
        beside,
        between(ALICE, 7, "v", (ALICE, 2)),
    )
    _, _, last = join([("alice", a), ("bob", b), ("alice", c), ("alice", d)])
    assert last.clients == [(ALICE, 6, 8)]


def test_nothing_moves_in_front_of_what_is_written_under_its_own_client_id() -> None:
    """Somebody deletes, their second tab writes under their client id, and they go on behind."""
    gone = update({}, {BOB: [(0, 1)]})
    _, (a, b, c) = both(gone, between(ALICE, 5, "x", (ALICE, 0)), between(ALICE, 6, "y", (ALICE, 2)))
    assert join([("tab", a), ("other tab", b), ("tab", c)]) == (a, b, c)
    typed = between(ALICE, 5, "x", (ALICE, 0)), between(ALICE, 6, "y", (ALICE, 2))
    _, (a, b, c) = both(*typed, update({}, {ALICE: [(6, 1)]}))
    assert join([("tab", a), ("other tab", b), ("tab", c)]) == (a, b, c)
    _, (a, b, c) = both(
        gone, update({ALICE: (5, [shared(XML_ELEMENT, parent="x")])}), between(ALICE, 6, "y", (ALICE, 2))
    )
    assert join([("tab", a), ("tab", b), ("tab", c)]) == (a, b, c)


def test_what_is_not_plain_is_left_alone() -> None:
    large = text("x" * MOST_BYTES, left=(ALICE, 0))
    for other in (
        mark("bold", "true", left=(ALICE, 0)),
        text("\U0001f600", left=(ALICE, 0)),
        text("x", parent="u"),
        large,
    ):
        _, (a, b) = both(update({ALICE: (5, [other])}), update({}, {BOB: [(0, 1)]}))
        assert join([("alice", a), ("alice", b)]) == (a, b)
    _, many = both(*[between(ALICE, 5 + at, "x", (ALICE, 0)) for at in range(MOST_TEXTS + 1)])
    assert [len(each.structs[0]) for each in join([("alice", each) for each in many])] == [MOST_TEXTS, 1]


def test_keystrokes_of_one_run_are_one_text() -> None:
    knowledge, (a, b) = typing("hello", "a", "b")
    first = read(knowledge, a)
    knowledge.admit([first], anybody)
    second = read(knowledge, b)
    knowledge.admit([second], anybody)
    elsewhere = inspect(update({ALICE: (7, [text("?", left=(ALICE, 1), right=(ALICE, 2))])}), LIMITS)
    knowledge.admit([elsewhere], anybody)
    third = read(knowledge, update({ALICE: (8, [text("!", left=(ALICE, 7), right=(ALICE, 2))])}))
    assert isinstance(third, Keystroke)
    joined = join([("alice", each) for each in (first, second, third)])
    assert [each.clients for each in joined] == [[(ALICE, 5, 7)], [(ALICE, 8, 9)]]
    assert [len(each.structs[0]) for each in joined] == [1, 1]
    assert join([("alice", first), ("alice", third)]) == (first, third)
    (all_of_it,) = join([("alice", each) for each in (first, second, elsewhere, third)])
    assert [struct[:2] for struct in all_of_it.structs[0]] == [(5, 7), (7, 8), (8, 9)]
    assert facts(all_of_it) == facts(inspect(all_of_it.raw, LIMITS))
    assert join([]) == ()
