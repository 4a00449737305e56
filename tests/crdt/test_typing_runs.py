"""Typing runs: keystrokes take a fast way, and nobody can tell the difference."""

import pickle
from collections.abc import Sequence
from itertools import islice
from random import Random

import pytest
from pycrdt import Doc, Text

from crdt.errors import Code, ProtocolError
from crdt.gate.admission import Admission
from crdt.gate.engine_cost import EngineCost
from crdt.gate.gate import Knowledge
from crdt.gate.typing_runs import MOST_RUNS, Keystroke, TypingRuns, join_keystrokes
from crdt.protocol.batch import encode_batch
from crdt.yjs.contents import ARRAY, MAP
from crdt.yjs.limits import GateLimits
from crdt.yjs.reader import Inspected, inspect
from crdt.yjs.varint import MAX_CLOCK
from tests.harness.traces import read_trace, updates_of
from tests.harness.update_writer import collected, item, number, text, tombstone, update, values
from tests.harness.yjs_oracle import YjsOracle

LIMITS = GateLimits()
ALICE, BOB = 7, 3_000_000_000


def anybody(_: int) -> bool:
    return True


class Author:
    """A person who types, mostly behind their last character, and syncs now and then."""

    def __init__(self, client_id: int, chance: Random) -> None:
        self._doc: Doc[Text] = Doc(client_id=client_id)
        self._text = self._doc.get("text", type=Text)
        self._chance = chance
        self._cursor = 0
        self._heard = 0
        self._made: list[bytes] = []
        self._subscription = self._doc.observe(lambda event: self._made.append(event.update))

    def acts(self, log: list[bytes]) -> None:
        """Make an edit, and put it into the log."""
        if self._chance.random() < 0.3:
            for each in log[self._heard :]:
                self._doc.apply_update(each)
            self._heard = len(log)
        self._made.clear()
        now = str(self._text)
        size = len(now)
        self._cursor = min(self._cursor, size)
        what = self._chance.random()
        if what < 0.1:
            self._cursor = self._chance.randint(0, size)
        if what < 0.8 or not self._cursor:
            typed = self._chance.choice([*"abcdef\n", "word ", "é", "\U0001f600", "x" * 130])
            self._text.insert(len(now[: self._cursor].encode()), typed)
            self._cursor += len(typed)
        else:
            self._cursor -= 1
            begin = len(now[: self._cursor].encode())
            del self._text[begin : begin + len(now[self._cursor].encode())]
        log += self._made


def session(seed: int) -> list[bytes]:
    chance = Random(seed)
    authors = [Author(client, chance) for client in (ALICE, 300, BOB)]
    log: list[bytes] = []
    author = authors[0]
    for _ in range(150):
        if chance.random() < 0.3:
            author = chance.choice(authors)
        author.acts(log)
    return log


def read(knowledge: Knowledge, each: bytes) -> Inspected:
    """Read an update as a replica does."""
    return knowledge.typing_runs.read(encode_batch([each])) or inspect(each, LIMITS)


def made_of(updates: Sequence[bytes]) -> "Doc[Text]":
    doc: Doc[Text] = Doc()
    for each in updates:
        doc.apply_update(each)
    return doc


def facts(inspected: Inspected) -> tuple[object, ...]:
    return inspected.raw, inspected.clients, inspected.structs, inspected.deletions


def knows(knowledge: Knowledge) -> bytes:
    """Return all that a gate knows, without its runs and the engine's cost.

    Keystrokes add nothing to the engine's cost.
    """
    knowledge.typing_runs = TypingRuns(LIMITS)
    knowledge._cost = EngineCost(knowledge.deletions)
    return pickle.dumps(pickle.loads(pickle.dumps(knowledge)))


def typing(*typed: str, **place: object) -> tuple[Knowledge, list[bytes]]:
    """Make a gate that has let Alice's first text in, and her keystrokes behind it."""
    knowledge = Knowledge(LIMITS)
    first = update({ALICE: (0, [text(typed[0], parent="t")])})
    knowledge.admit([inspect(first, LIMITS)], anybody)
    clock, more = len(typed[0]), []
    for each in typed[1:]:
        more.append(update({ALICE: (clock, [text(each, left=(ALICE, clock - 1), **place)])}))
        clock += len(each)
    return knowledge, more


@pytest.mark.parametrize("seed", range(20))
def test_a_gate_with_the_short_way_lets_in_and_knows_the_same(seed: int) -> None:
    short, long = Knowledge(LIMITS), Knowledge(LIMITS)
    keystrokes = 0
    for each in session(seed):
        inspected = read(short, each)
        assert facts(inspected) == facts(inspect(each, LIMITS))
        keystrokes += isinstance(inspected, Keystroke)
        assert short.admit([inspected], anybody)[:3] == long.admit([inspect(each, LIMITS)], anybody)[:3]
        assert short.state_vector == long.state_vector
    assert keystrokes > 20
    assert knows(short) == knows(long)


@pytest.mark.slow
def test_most_of_what_a_person_types_goes_the_short_way() -> None:
    knowledge = Knowledge(LIMITS)
    keystrokes = insertions = 0
    for each in islice(updates_of(read_trace("automerge-paper"), "t"), 20_000):
        inspected = read(knowledge, each)
        keystrokes += isinstance(inspected, Keystroke)
        insertions += bool(inspected.structs)
        knowledge.admit([inspected], anybody)
    assert keystrokes > 0.9 * insertions


def test_whatever_differs_by_a_bit_is_read_like_everything_else() -> None:
    for place in ({}, {"right": (BOB, 0)}):
        knowledge, _ = typing("hello")
        knowledge.admit([inspect(update({BOB: (0, [text("!", left=(ALICE, 4))])}), LIMITS)], anybody)
        between = update({ALICE: (5, [text("a", left=(ALICE, 4), **place)])})
        knowledge.admit([inspect(between, LIMITS)], anybody)
        honest = encode_batch([update({ALICE: (6, [text("bc", left=(ALICE, 5), **place)])})])
        assert knowledge.typing_runs.read(honest) is not None
        changed = [honest[:at] + bytes((byte,)) + honest[at + 1 :] for at in range(len(honest)) for byte in range(256)]
        changed += [honest[:at] for at in range(len(honest))]
        changed += [honest[:at] + bytes((byte,)) + honest[at:] for at in range(len(honest) + 1) for byte in range(256)]
        for batch in changed:
            found = knowledge.typing_runs.read(batch)
            if found is not None:
                assert batch == encode_batch([found.raw])
                assert facts(found) == facts(inspect(found.raw, LIMITS))
                assert found.clients[0][1] == 6


def test_what_is_longer_than_it_may_be_is_read_like_everything_else() -> None:
    limits = GateLimits(update_bytes=20)
    knowledge = Knowledge(limits)
    knowledge.admit([inspect(update({ALICE: (0, [text("h", parent="t")])}), limits)], anybody)
    short, long = [update({ALICE: (1, [text("h" * size, left=(ALICE, 0))])}) for size in (11, 12)]
    assert len(short) == 20
    assert knowledge.typing_runs.read(encode_batch([short])) is not None
    assert knowledge.typing_runs.read(encode_batch([long])) is None


def test_no_run_goes_beyond_the_last_clock() -> None:
    knowledge = Knowledge(LIMITS)
    begin = update({ALICE: (0, [tombstone(MAX_CLOCK - 3, parent="t"), text("x", left=(ALICE, MAX_CLOCK - 4))])})
    knowledge.admit([inspect(begin, LIMITS)], anybody, measured=True)
    typed = update({ALICE: (MAX_CLOCK - 2, [text("y", left=(ALICE, MAX_CLOCK - 3))])})
    knowledge.admit([inspect(typed, LIMITS)], anybody, measured=True)
    last, beyond = [update({ALICE: (MAX_CLOCK - 1, [text(t, left=(ALICE, MAX_CLOCK - 2))])}) for t in ("z", "zz")]
    assert isinstance(read(knowledge, last), Keystroke)
    assert knowledge.typing_runs.read(encode_batch([beyond])) is None


def test_the_author_is_asked_for_and_a_refusal_leaves_no_trace() -> None:
    knowledge, (more,) = typing("hello", "!")
    before = pickle.dumps(knowledge)
    with pytest.raises(ProtocolError) as refusal:
        knowledge.admit([read(knowledge, more)], lambda client: client != ALICE)
    assert refusal.value.code is Code.CLIENT_ID_TAKEN
    assert pickle.dumps(knowledge) == before
    assert knowledge.admit([read(knowledge, more)], anybody) == Admission(news=True, new_clients=(), writes=(ALICE,))


def test_a_keystroke_that_comes_again_brings_nothing_new() -> None:
    knowledge, (more, _) = typing("hello", "a", "b")
    keystroke = read(knowledge, more)
    assert isinstance(keystroke, Keystroke)
    assert knowledge.admit([keystroke], anybody).news
    assert not knowledge.admit([keystroke], anybody).news
    assert not knowledge.admit([read(knowledge, more)], anybody).news


def test_a_keystroke_is_judged_anew_by_a_gate_that_did_not_read_it() -> None:
    """The store may have refused the keystroke before, and the document was read again."""
    knowledge, (more,) = typing("hello", "!")
    keystroke = read(knowledge, more)
    assert isinstance(keystroke, Keystroke)
    with pytest.raises(ProtocolError) as refusal:
        Knowledge(LIMITS).admit([keystroke], anybody)
    assert refusal.value.code is Code.MISSING_PAST
    other = Knowledge(LIMITS)
    listed = update({ALICE: (0, [values("7e", "7e", "7e", "7e", "7e", parent="t")])})
    nested = update(
        {BOB: (0, [item(7, number(ARRAY), parent="t")]), ALICE: (0, [values(*["7e"] * 5, parent=(BOB, 0))])}
    )
    for begin in (listed, nested):
        other = Knowledge(LIMITS)
        other.admit([inspect(begin, LIMITS)], anybody)
        assert not isinstance(read(other, more), Keystroke)
    with pytest.raises(ProtocolError) as refusal:
        other.admit([keystroke], anybody)
    assert refusal.value.code is Code.BAD_UPDATE  # text in an array


def test_whoever_does_anything_else_begins_a_new_run() -> None:
    knowledge, (more,) = typing("hello", "!")
    keystroke = read(knowledge, more)
    elsewhere = update({ALICE: (5, [text("?", left=(ALICE, 1), right=(ALICE, 2))])})
    knowledge.admit([inspect(elsewhere, LIMITS)], anybody)
    assert not knowledge.admit([keystroke], anybody).news
    on = update({ALICE: (6, [text("!", left=(ALICE, 5), right=(ALICE, 2))])})
    back = update({ALICE: (6, [text("!", left=(ALICE, 4))])})
    assert not isinstance(read(knowledge, back), Keystroke)
    assert isinstance(read(knowledge, on), Keystroke)


def test_no_run_begins_under_a_map_key_or_where_nothing_lives() -> None:
    for begin, on in (
        ([item(7, number(MAP), parent="m"), values("7e", parent=(ALICE, 0), key="k")], [text("x", left=(ALICE, 1))]),
        ([collected(2)], [text("x", left=(ALICE, 1))]),
        ([tombstone(2, parent="t")], [text("x", left=(ALICE, 1))]),
    ):
        knowledge = Knowledge(LIMITS)
        knowledge.admit([inspect(update({ALICE: (0, begin)}), LIMITS)], anybody)
        assert not isinstance(read(knowledge, update({ALICE: (2, on)})), Keystroke)


def test_more_runs_than_are_remembered_begin_anew() -> None:
    knowledge = Knowledge(LIMITS)
    clients = range(1, MOST_RUNS + 2)
    for client in clients:
        knowledge.admit([inspect(update({client: (0, [text("x", parent="t")])}), LIMITS)], anybody)
    following = {client: update({client: (1, [text("y", left=(client, 0))])}) for client in clients}
    remembered = [client for client in clients if isinstance(read(knowledge, following[client]), Keystroke)]
    assert remembered == [clients[-1]]
    for client in clients:
        assert knowledge.admit([read(knowledge, following[client])], anybody).news


@pytest.mark.parametrize("seed", range(20))
def test_joined_keystrokes_are_the_same_document(yjs: YjsOracle, seed: int) -> None:
    """Rows may have any length, with other people's edits in between."""
    log, chance, knowledge = session(seed), Random(seed), Knowledge(LIMITS)
    rows: list[list[Inspected]] = [[]]
    for each in log:
        if chance.random() < 0.1:
            rows.append([])
        inspected = read(knowledge, each)
        if knowledge.admit([inspected], anybody).news:  # a second deletion of the same, by somebody else, is not
            rows[-1].append(inspected)
    joined = [each for row in rows for each in join_keystrokes(row)]
    assert len(joined) < sum(map(len, rows))
    replayed = Knowledge(LIMITS)
    for one_or_more in joined:
        inspected = inspect(one_or_more.raw, LIMITS)
        assert facts(one_or_more) == facts(inspected)
        assert replayed.admit([inspected], anybody).news
    assert replayed.state_vector == knowledge.state_vector
    raw = [each.raw for each in joined]
    assert yjs.view(raw) == yjs.view(log)
    one, other = made_of(log), made_of(raw)
    assert str(one.get("text", type=Text)) == str(other.get("text", type=Text))
    assert yjs.view([one.get_update()]) == yjs.view([other.get_update()])


def test_keystrokes_of_different_runs_are_not_joined() -> None:
    knowledge, (a, b) = typing("hello", "a", "b")
    first = read(knowledge, a)
    knowledge.admit([first], anybody)
    second = read(knowledge, b)
    knowledge.admit([second], anybody)
    knowledge.admit([inspect(update({ALICE: (7, [text("?", left=(ALICE, 1), right=(ALICE, 2))])}), LIMITS)], anybody)
    third = read(knowledge, update({ALICE: (8, [text("!", left=(ALICE, 7), right=(ALICE, 2))])}))
    assert isinstance(third, Keystroke)
    joined = join_keystrokes([first, second, third])
    assert [each.clients for each in joined] == [[(ALICE, 5, 7)], [(ALICE, 8, 9)]]
    assert join_keystrokes([first, third]) == (first, third)
    assert join_keystrokes([]) == ()
