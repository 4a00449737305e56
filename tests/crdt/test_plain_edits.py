"""Plain edits: small updates at any place take a short way, and nobody can tell the difference."""

import pickle
from collections.abc import Mapping, Sequence
from random import Random

import pytest

from crdt.errors import Code, ProtocolError
from crdt.gate.admission import Admission, MayWrite
from crdt.gate.gate import PLAIN_RANGES, Knowledge
from crdt.yjs.contents import MAP, XML_ELEMENT, XML_TEXT
from crdt.yjs.limits import GateLimits
from crdt.yjs.reader import Inspected, inspect
from tests.harness.forger import Forger
from tests.harness.update_writer import Id, item, number, shared, text, update, values
from tests.harness.yjs_oracle import YjsOracle

LIMITS = GateLimits()
FEW = GateLimits(document_structs=60)
ALICE, BOB, CAROL = 7, 300, 3_000_000_000


class Short(Knowledge):
    """A gate that counts what takes the short way."""

    short = 0

    def _admit_plain(self, updates: Sequence[Inspected], may_write: MayWrite) -> Admission | None:
        admission = super()._admit_plain(updates, may_write)
        self.short += admission is not None
        return admission


class Long(Knowledge):
    """A gate without the short way."""

    def _admit_plain(self, updates: Sequence[Inspected], may_write: MayWrite) -> Admission | None:
        return None


def anybody(_: int) -> bool:
    return True


def answer(knowledge: Knowledge, each: bytes, may_write: MayWrite) -> Admission | Code | str:
    try:
        return knowledge.admit([inspect(each, knowledge._limits)], may_write)
    except ProtocolError as refusal:
        return f"{refusal.code}: {refusal.message}"


def knows(knowledge: Knowledge) -> bytes:
    """Return all that a gate knows, and the order in which it came to know it."""
    state = {name: value for name, value in vars(knowledge).items() if name != "short"}
    return pickle.dumps(pickle.loads(pickle.dumps(state)))


class Both:
    """Two gates, of which one has the short way. They are asked the same."""

    def __init__(self, limits: GateLimits = LIMITS, may_write: MayWrite = anybody) -> None:
        self.short, self.long = Short(limits), Long(limits)
        self._may_write = may_write

    def agree(self, each: bytes) -> None:
        given = answer(self.short, each, self._may_write)
        assert given == answer(self.long, each, self._may_write), each.hex()
        assert knows(self.short) == knows(self.long), each.hex()


class Writer:
    """The small edits of three people anywhere in a text and a paragraph; some are unsound."""

    def __init__(self, seed: int) -> None:
        self._chance = Random(seed)

    def begins(self) -> list[bytes]:
        paragraph = [shared(XML_ELEMENT, parent="default"), shared(XML_TEXT, parent=(ALICE, 0))]
        return [
            update({ALICE: (0, [*paragraph, text("a paragraph", parent=(ALICE, 1))])}),
            update({BOB: (0, [text("\U0001f600 here" if self._chance.random() < 0.5 else "a text", parent="t")])}),
            update({CAROL: (0, [text("c", left=(BOB, 4), right=(BOB, 5))])}),
        ]

    def edit(self, known: Mapping[int, int]) -> bytes:
        chance, structs = self._chance, list[bytes]()
        client = chance.choice(list(known))
        first = known[client] + chance.choice([0] * 30 + [-1, 1])
        if chance.random() < 0.8:
            left = self._id(known)
            beside: dict[str, object] = {"left": left}
            if chance.random() < 0.8:
                beside["right"] = (left[0], left[1] + 1) if chance.random() < 0.9 else self._id(known)
            elif chance.random() < 0.3:
                beside = {"right": left}
            typed = chance.choice(["a", "word", "\xe9"] * 10 + ["\U0001f600"])
            structs = [text(typed, **beside)] * (2 if chance.random() < 0.05 else 1)
        gone: dict[int, list[Id]] = {}
        for _ in range(chance.choice([0] * 20 + [1] * 20 + [3] * 5 + [PLAIN_RANGES + 1])):
            by, clock = self._id(known)
            gone.setdefault(by, []).append((clock, chance.randint(1, 2)))
        return update({client: (first, structs)} if structs else {}, gone)

    def _id(self, known: Mapping[int, int]) -> Id:
        client = self._chance.choice([*known, *known, *known, ALICE + 1])
        return client, self._chance.randrange(known.get(client, 0) + (self._chance.random() < 0.02) or 1)


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize(("limits", "stranger"), [(LIMITS, None), (FEW, None), (LIMITS, CAROL)])
def test_small_edits_at_any_place_get_the_same_answer_and_leave_the_same_behind(
    seed: int, limits: GateLimits, stranger: int | None
) -> None:
    writer, barred = Writer(seed), list[int | None]()
    both = Both(limits, lambda client: client not in barred)
    for each in writer.begins():
        both.agree(each)
    barred.append(stranger)
    for _ in range(40):
        both.agree(writer.edit(both.long.state_vector))
    assert both.short.short > 3


@pytest.mark.slow
@pytest.mark.parametrize("first_seed", range(0, 40, 20))
def test_forged_updates_get_the_same_answer_and_leave_the_same_behind(first_seed: int) -> None:
    taken = 0
    for seed in range(first_seed, first_seed + 20):
        forger, both = Forger(seed), Both()
        for _ in range(40):
            both.agree(forger.forges(both.long.state_vector))
        taken += both.short.short
    assert taken > 20


@pytest.mark.slow
def test_honest_sessions_get_the_same_answer_and_leave_the_same_behind(yjs: YjsOracle) -> None:
    taken = 0
    for seed in range(8):
        log, _ = yjs.session(seed, 60)
        both = Both()
        for each in log:
            both.agree(each)
        taken += both.short.short
    assert taken > 20


def test_whatever_is_to_be_refused_is_refused_and_leaves_no_trace() -> None:
    knowledge = Short(LIMITS)
    knowledge.admit([inspect(update({ALICE: (0, [text("hello", parent="t")])}), LIMITS)], anybody)
    knowledge.admit([inspect(update({BOB: (0, [item(7, number(MAP), parent="m")])}), LIMITS)], anybody)
    knowledge.admit([inspect(update({BOB: (1, [values("7e", parent=(BOB, 0), key="k")])}), LIMITS)], anybody)
    before, short = knows(knowledge), knowledge.short
    for each, code in (
        (update({ALICE: (5, [text("x", left=(BOB, 2))])}), Code.MISSING_PAST),
        (update({ALICE: (5, [text("x", left=(ALICE, 0), right=(BOB, 9))])}), Code.MISSING_PAST),
        (update({ALICE: (6, [text("x", left=(ALICE, 0))])}), Code.MISSING_PAST),
        (update({ALICE: (5, [text("x", left=(ALICE, 0), right=(BOB, 0))])}), Code.BAD_UPDATE),
        (update({ALICE: (5, [text("x", left=(ALICE, 0), right=(ALICE, 0))])}), Code.BAD_UPDATE),
        (update({ALICE: (5, [text("x", left=(BOB, 1))])}), Code.BAD_UPDATE),  # text under a map's key
        (update({}, {ALICE: [(0, 6)]}), Code.MISSING_PAST),
        (update({}, {ALICE: [(0, 9), (1, 1)]}), Code.MISSING_PAST),
        (update({ALICE: (5, [text("x", left=(ALICE, 0), right=(ALICE, 1))])}, {CAROL: [(0, 1)]}), Code.MISSING_PAST),
    ):
        with pytest.raises(ProtocolError) as refusal:
            knowledge.admit([inspect(each, LIMITS)], anybody)
        assert refusal.value.code is code
        assert knows(knowledge) == before
    edit = update({ALICE: (5, [text("x", left=(ALICE, 0), right=(ALICE, 1))])}, {ALICE: [(1, 2)]})
    with pytest.raises(ProtocolError) as refusal:
        knowledge.admit([inspect(edit, LIMITS)], lambda client: client != ALICE)
    assert refusal.value.code is Code.CLIENT_ID_TAKEN
    assert knows(knowledge) == before
    assert knowledge.short == short
