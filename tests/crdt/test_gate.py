"""The gate's rules, one story each.

Updates are written struct by struct. `t`, `m` and `l` are root types.
"""

import pickle
from collections.abc import Callable

import pytest

from crdt.errors import Code, ProtocolError
from crdt.gate.admission import Admission
from crdt.gate.gate import Knowledge
from crdt.yjs.contents import ARRAY, MAP, TEXT, XML_ELEMENT, XML_TEXT
from crdt.yjs.limits import GateLimits
from crdt.yjs.reader import inspect
from tests.harness.census import census
from tests.harness.update_writer import collected, embed, item, mark, shared, text, tombstone, update, values

ALICE, BOB, CAROL = 7, 2**53 - 1, 3_000_000_000
LIMITS = GateLimits()
NULL = "7e"


def anybody(_: int) -> bool:
    return True


class Gated:
    """A document's gate, with shorter calls."""

    def __init__(self, *updates: bytes, limits: GateLimits = LIMITS) -> None:
        self.limits = limits
        self.knowledge = Knowledge(limits)
        for each in updates:
            self.lets_in(each)

    def lets_in(self, *updates: bytes, may_write: Callable[[int], bool] = anybody, own: int | None = None) -> Admission:
        return self.knowledge.admit([inspect(each, self.limits) for each in updates], may_write, own)._replace(cost=0)

    def refuses(self, *updates: bytes, may_write: Callable[[int], bool] = anybody, own: int | None = None) -> Code:
        """Return the code of the refusal, after checking that it left no trace."""
        before = pickle.dumps(self.knowledge)
        with pytest.raises(ProtocolError) as refusal:
            self.lets_in(*updates, may_write=may_write)
        assert pickle.dumps(self.knowledge) == before
        return refusal.value.code


HELLO = update({ALICE: (0, [text("hello", parent="t")])})


def test_news_writers_and_newcomers_are_told() -> None:
    gated = Gated()
    assert gated.lets_in(HELLO) == Admission(news=True, new_clients=(ALICE,), writes=(ALICE,))
    more = update({ALICE: (5, [text("!", left=(ALICE, 4))]), BOB: (0, [text("?", left=(ALICE, 5))])})
    assert gated.lets_in(more) == Admission(news=True, new_clients=(BOB,), writes=(ALICE, BOB))
    assert gated.lets_in(update({}, {ALICE: [(1, 2)]})) == Admission(news=True, new_clients=(), writes=())
    assert gated.knowledge.state_vector == {ALICE: 6, BOB: 1}


def test_complete_duplicates_are_no_news_and_need_no_right() -> None:
    gated = Gated(HELLO, update({}, {ALICE: [(1, 2), (4, 1)]}))
    again = update({ALICE: (0, [text("hello", parent="t")])}, {ALICE: [(1, 1), (2, 1)]})
    assert gated.lets_in(again, may_write=lambda _: False) == Admission(news=False, new_clients=(), writes=())
    assert gated.lets_in(update({}), may_write=lambda _: False) == Admission(news=False, new_clients=(), writes=())


def test_a_resent_struct_that_has_grown_brings_its_new_end() -> None:
    gated = Gated(HELLO)
    assert gated.lets_in(update({ALICE: (0, [text("hello you", parent="t")])})).writes == (ALICE,)
    assert gated.lets_in(update({ALICE: (6, [text("you!", left=(ALICE, 5))])})).news
    assert gated.knowledge.state_vector == {ALICE: 10}


def test_only_who_may_write_under_a_client_id_brings_new_structs() -> None:
    asked: list[int] = []

    def only_alice(client: int) -> bool:
        asked.append(client)
        return client == ALICE

    gated = Gated()
    gated.lets_in(HELLO, update({ALICE: (5, [text("!", left=(ALICE, 4))])}), may_write=only_alice)
    assert asked == [ALICE]
    forged = update({BOB: (0, [text("x", left=(ALICE, 1))])})
    assert gated.refuses(HELLO, forged, may_write=only_alice) is Code.CLIENT_ID_TAKEN


def test_a_failing_right_leaves_no_trace() -> None:
    def fails(_: int) -> bool:
        raise KeyError

    gated = Gated(HELLO)
    before = pickle.dumps(gated.knowledge)
    with pytest.raises(KeyError):
        gated.lets_in(update({BOB: (0, [shared(MAP, parent="m", key="k")])}, {ALICE: [(0, 1)]}), may_write=fails)
    assert pickle.dumps(gated.knowledge) == before


@pytest.mark.parametrize(
    "late",
    [
        update({ALICE: (6, [text("x", left=(ALICE, 4))])}),
        update({BOB: (1, [text("x", left=(ALICE, 4))])}),
        update({BOB: (0, [text("x", left=(ALICE, 5))])}),
        update({BOB: (0, [text("x", right=(CAROL, 0))])}),
        update({BOB: (0, [text("x", parent=(CAROL, 0))])}),
        update({}, {ALICE: [(4, 2)]}),
        update({}, {CAROL: [(0, 1)]}),
        update({}, {ALICE: [(0, 2**31 - 1)]}),
        update({ALICE: (5, [bytes([10, 3]), text("x", left=(ALICE, 4))])}),
    ],
    ids=[
        "gap of a known client", "gap of a new client", "origin", "right origin", "parent", "deletion past the end",
        "deletion of a stranger", "deletion of everything to come", "announced gap",
    ],
)  # fmt: skip
def test_what_builds_on_the_unknown_is_missing_its_past(late: bytes) -> None:
    assert Gated(HELLO).refuses(late) is Code.MISSING_PAST


def test_one_bad_update_refuses_the_whole_batch() -> None:
    gated = Gated(HELLO)
    good = update(
        {BOB: (0, [shared(XML_ELEMENT, parent="default"), text("😀", parent="t")])}, {ALICE: [(0, 1), (3, 1)]}
    )
    assert gated.refuses(good, update({BOB: (9, [text("x", left=(ALICE, 0))])})) is Code.MISSING_PAST
    assert gated.lets_in(good).new_clients == (BOB,)


def test_structs_of_several_clients_may_follow_on_one_another_in_any_order() -> None:
    alice = [text("a", parent="t"), text("c", left=(BOB, 0)), text("e", left=(BOB, 1))]
    bob = [text("b", left=(ALICE, 0)), text("d", left=(ALICE, 1))]
    for blocks in ({ALICE: (0, alice), BOB: (0, bob)}, {BOB: (0, bob), ALICE: (0, alice)}):
        gated = Gated(update(blocks))
        assert gated.knowledge.state_vector == {ALICE: 3, BOB: 2}


def test_structs_that_refer_to_one_another_in_a_circle_are_refused() -> None:
    circle = update(
        {
            ALICE: (0, [text("a", left=(BOB, 0))]),
            BOB: (0, [text("b", right=(CAROL, 0))]),
            CAROL: (0, [text("c", left=(ALICE, 0))]),
        }
    )
    assert Gated().refuses(circle) is Code.BAD_UPDATE


@pytest.mark.parametrize("reference", ["left", "right", "parent"])
def test_nothing_refers_to_itself_or_to_what_comes_later(reference: str) -> None:
    for clock in (5, 6):
        itself = update({ALICE: (5, [text("ab", **{reference: (ALICE, clock)})])})
        assert Gated(HELLO).refuses(itself) is Code.BAD_UPDATE


def test_duplicates_are_judged_too() -> None:
    """yjs and yrs look at the references of structs that they already have."""
    forged = update({ALICE: (0, [text("hello", left=(CAROL, 3))]), BOB: (0, [text("x", left=(ALICE, 0))])})
    assert Gated(HELLO).refuses(forged) is Code.MISSING_PAST


EMOJI = update({ALICE: (0, [text("a😀b", parent="t")])})


@pytest.mark.parametrize(
    "cut",
    [
        update({BOB: (0, [text("x", left=(ALICE, 1), right=(ALICE, 2))])}),
        update({BOB: (0, [text("x", left=(ALICE, 1))])}),
        update({BOB: (0, [text("x", right=(ALICE, 2))])}),
        update({}, {ALICE: [(2, 1)]}),
        update({}, {ALICE: [(1, 1)]}),
        update({ALICE: (3, [text("😀", left=(ALICE, 0))])}),
        update({ALICE: (4, [text("😀", left=(ALICE, 3)), text("x", right=(ALICE, 5))])}),
        update({ALICE: (4, [text("😀", left=(ALICE, 3))])}, {ALICE: [(4, 1)]}),
    ],
    ids=[
        "inserting inside", "origin", "right origin", "deleting the second half", "deleting the first half",
        "a known beginning ends inside", "inside an emoji of the same update", "deleting half of one in the same update",
    ],
)  # fmt: skip
def test_surrogate_pairs_are_not_cut(cut: bytes) -> None:
    assert Gated(EMOJI).refuses(cut) is Code.BAD_UPDATE


def test_text_around_and_whole_emoji_is_edited_freely() -> None:
    gated = Gated(EMOJI)
    gated.lets_in(
        update({BOB: (0, [text("x", left=(ALICE, 0), right=(ALICE, 1)), text("y", left=(ALICE, 2), right=(ALICE, 3))])})
    )
    gated.lets_in(update({}, {ALICE: [(1, 2)]}))
    gated.lets_in(update({ALICE: (0, [text("a😀b𝒳", parent="t")])}))
    assert gated.knowledge.state_vector == {ALICE: 6, BOB: 2}


TYPES = update(
    {
        ALICE: (
            0,
            [
                shared(ARRAY, parent="l"), shared(MAP, left=(ALICE, 0)), shared(TEXT, left=(ALICE, 1)),
                shared(XML_ELEMENT, left=(ALICE, 2)), shared(XML_TEXT, left=(ALICE, 3)),
            ],
        )
    }
)  # fmt: skip
IN_ARRAY, IN_MAP, IN_TEXT, IN_ELEMENT, IN_XML_TEXT = ((ALICE, clock) for clock in range(5))


@pytest.mark.parametrize(
    "misplaced",
    [
        text("x", parent=IN_ARRAY),
        mark("bold", "true", parent=IN_ARRAY),
        embed("{}", parent=IN_ARRAY),
        text("x", parent=IN_MAP),
        values(NULL, parent=IN_MAP),
        text("x", parent=IN_MAP, key="k"),
        embed("{}", parent="m", key="k"),
        values(NULL, NULL, parent="m", key="k"),
        text("x", parent=IN_ELEMENT),
        values(NULL, parent=IN_ELEMENT),
        shared(MAP, parent=IN_ELEMENT),
        text("x", parent="default"),
        values(NULL, parent="default"),
    ],
    ids=[
        "text in an array", "format in an array", "embed in an array", "text in a map", "sequence in a map", "text under a key",
        "embed under a key", "two values under a key", "text in an element", "value in an element", "map in an element",
        "text in the editor's root", "value in the editor's root",
    ],
)  # fmt: skip
def test_content_lies_where_its_kind_may_lie(misplaced: bytes) -> None:
    assert Gated(TYPES).refuses(update({BOB: (0, [misplaced])})) is Code.BAD_UPDATE


@pytest.mark.parametrize(
    "placed",
    [
        values(NULL, "7d01", parent=IN_ARRAY),
        values(NULL, parent=IN_MAP, key="k"),
        shared(TEXT, parent=IN_MAP, key="k"),
        values("770161", parent=IN_ELEMENT, key="level"),
        values("770161", parent=IN_XML_TEXT, key="level"),
        text("x", parent=IN_TEXT),
        embed("{}", parent=IN_XML_TEXT),
        shared(XML_TEXT, parent=IN_ELEMENT),
        shared(XML_ELEMENT, parent="default"),
        text("x", parent="whatever root"),
        tombstone(3, parent=IN_MAP),
        collected(3),
    ],
)  # fmt: skip
def test_content_that_belongs_is_let_in(placed: bytes) -> None:
    assert Gated(TYPES).lets_in(update({BOB: (0, [placed])})).news


def test_where_content_lies_is_known_through_its_neighbours_too() -> None:
    gated = Gated(TYPES, update({BOB: (0, [values(NULL, parent=IN_ARRAY), values(NULL, parent=IN_MAP, key="k")])}))
    assert gated.refuses(update({CAROL: (0, [text("x", left=(BOB, 0))])})) is Code.BAD_UPDATE
    assert gated.refuses(update({CAROL: (0, [text("x", right=(BOB, 0))])})) is Code.BAD_UPDATE
    assert gated.refuses(update({CAROL: (0, [text("x", left=(BOB, 1))])})) is Code.BAD_UPDATE
    assert gated.refuses(update({CAROL: (0, [values(NULL, left=(BOB, 1), right=(BOB, 1))])})) is Code.BAD_UPDATE
    gated.lets_in(update({CAROL: (0, [values(NULL, left=(BOB, 0)), values(NULL, left=(BOB, 1))])}))


def test_neighbours_live_in_one_place() -> None:
    in_text_and_root = update({BOB: (0, [text("ab", parent=IN_TEXT), text("cd", parent="t")])})
    gated = Gated(TYPES, in_text_and_root)
    assert gated.refuses(update({CAROL: (0, [text("x", left=(BOB, 0), right=(BOB, 2))])})) is Code.BAD_UPDATE
    assert gated.refuses(update({CAROL: (0, [text("x", left=(BOB, 0), right=(BOB, 0))])})) is Code.BAD_UPDATE
    gated.lets_in(in_text_and_root, update({CAROL: (0, [text("x", left=(BOB, 0), right=(BOB, 1))])}))


def test_a_neighbour_may_be_garbage_if_the_other_one_is_in_a_deleted_type() -> None:
    """Somebody deleted a paragraph with a third person's text, and sent only the deletion."""
    gated = Gated(TYPES, update({BOB: (0, [text("ab", parent=IN_TEXT), collected(4)])}))
    between = update({CAROL: (0, [text("x", left=(BOB, 3), right=(BOB, 0))])})
    assert gated.refuses(between) is Code.BAD_UPDATE
    gated.lets_in(update({}, {ALICE: [(2, 1)], BOB: [(0, 6)]}))
    assert gated.lets_in(between).news


def test_a_struct_goes_on_where_its_beginning_is() -> None:
    gated = Gated(TYPES, update({BOB: (0, [text("ab", parent=IN_TEXT), collected(2)])}))
    assert gated.refuses(update({BOB: (2, [text("xyz", parent="t")])})) is Code.BAD_UPDATE
    assert gated.refuses(update({BOB: (0, [text("abcde", parent="t")])})) is Code.BAD_UPDATE
    assert gated.lets_in(update({BOB: (2, [collected(5)])})).news


def test_parents_are_types_or_deleted() -> None:
    gated = Gated(HELLO)
    inside = update({BOB: (0, [values(NULL, parent=(ALICE, 1))])})
    assert gated.refuses(inside) is Code.BAD_UPDATE
    gated.lets_in(update({}, {ALICE: [(1, 1)]}))
    assert gated.lets_in(inside).news


def test_several_values_under_a_key_are_let_in_when_they_are_deleted() -> None:
    """A document that keeps undone content merges overwritten values."""
    overwritten = [values(NULL, NULL, parent="m", key="k"), values(NULL, left=(BOB, 1))]
    assert Gated().refuses(update({BOB: (0, overwritten)})) is Code.BAD_UPDATE
    assert Gated().lets_in(update({BOB: (0, overwritten)}, {BOB: [(0, 2)]})).news


def nested(depth: int) -> list[bytes]:
    first = shared(XML_ELEMENT, parent="default")
    return [first, *[shared(XML_ELEMENT, parent=(ALICE, clock)) for clock in range(depth - 1)]]


def test_types_are_nested_only_so_deep_however_small_the_updates() -> None:
    gated = Gated(limits=GateLimits(type_depth=5))
    for clock, struct in enumerate(nested(5)):
        gated.lets_in(update({ALICE: (clock, [struct])}))
    assert gated.refuses(update({ALICE: (5, [shared(XML_TEXT, parent=(ALICE, 4))])})) is Code.DOCUMENT_FULL
    gated.lets_in(update({BOB: (0, [shared(XML_TEXT, left=(ALICE, 4))])}))
    assert gated.refuses(update({CAROL: (0, [shared(TEXT, parent=(BOB, 0))])})) is Code.DOCUMENT_FULL


def test_the_usual_depth_suffices_for_any_text_and_is_far_from_a_stack_overflow() -> None:
    assert Gated().lets_in(update({ALICE: (0, nested(256))})).news
    assert Gated().refuses(update({ALICE: (0, nested(257))})) is Code.DOCUMENT_FULL


@pytest.mark.parametrize(
    ("limits", "filling", "over", "code"),
    [
        (
            GateLimits(root_names=2),
            [text("x", parent="a"), text("x", parent="b")],
            text("x", parent="c"),
            Code.DOCUMENT_FULL,
        ),
        (GateLimits(types=1), [shared(MAP, parent="l")], shared(MAP, parent="l"), Code.DOCUMENT_FULL),
    ],
    ids=["root names", "types"],
)
def test_a_full_document_takes_no_more_of_it(limits: GateLimits, filling: list[bytes], over: bytes, code: Code) -> None:
    gated = Gated(update({ALICE: (0, filling)}), limits=limits)
    assert gated.refuses(update({BOB: (0, [over])})) is code
    assert gated.lets_in(update({BOB: (0, [text("x", parent="a")])})).news


def test_client_ids_of_a_document_are_limited() -> None:
    gated = Gated(HELLO, update({BOB: (0, [text("x", parent="t")])}), limits=GateLimits(client_ids=2))
    assert gated.refuses(update({CAROL: (0, [text("x", parent="t")])})) is Code.DOCUMENT_FULL
    assert gated.lets_in(update({BOB: (1, [text("x", left=(BOB, 0))])})).news


def test_a_snapshot_is_learnt_whatever_the_limits_are_now() -> None:
    tight = GateLimits(update_bytes=1, structs=1, types=1, root_names=1, client_ids=1)
    knowledge = Knowledge.from_snapshot(update({ALICE: (0, nested(8)), BOB: (0, [text("x", parent="t")])}), tight)
    assert knowledge.state_vector == {ALICE: 8, BOB: 1}
    assert census(knowledge) == {"client_ids": 2, "root_names": 2, "types": 8, "document_structs": 9}


def test_a_durable_update_is_absorbed_even_if_todays_rules_would_refuse_it() -> None:
    gated = Gated(TYPES)
    strange = inspect(
        update({BOB: (0, [text("😀", parent=IN_ARRAY), shared(MAP, left=(CAROL, 4))])}, {BOB: [(1, 1)]}), LIMITS
    )
    gated.knowledge.absorb(strange)
    assert gated.knowledge.state_vector == {ALICE: 5, BOB: 3}
    gated.lets_in(update({CAROL: (0, [text("x", left=(BOB, 2)), values(NULL, parent=(BOB, 2), key="k")])}))


def test_knowledge_travels_between_processes() -> None:
    emoji = update({BOB: (0, [text("😀", parent="t")])}, {ALICE: [(1, 1)]})
    gated = Gated(TYPES, emoji)
    gated.knowledge = pickle.loads(pickle.dumps(gated.knowledge))
    assert not gated.lets_in(TYPES, pickle.loads(pickle.dumps(emoji))).news
    assert gated.refuses(update({CAROL: (0, [text("x", left=(BOB, 0))])})) is Code.BAD_UPDATE
    assert pickle.loads(pickle.dumps(inspect(emoji, LIMITS))) == inspect(emoji, LIMITS)


def test_kinds_that_no_one_can_read_are_refused() -> None:
    assert Gated().refuses(update({ALICE: (0, [item(10, b"\1", parent="t")])})) is Code.MISSING_PAST
    for content in (0, 11, 15, 31):
        assert Gated().refuses(update({ALICE: (0, [item(content, b"\1", parent="t")])})) is Code.BAD_UPDATE
    assert Gated().refuses(update({ALICE: (0, [item(9, b"\1g\x76\0", parent="l")])})) is Code.UNSUPPORTED_CONTENT
    assert Gated().refuses(update({ALICE: (0, [shared(5, parent="l")])})) is Code.UNSUPPORTED_CONTENT
    for reference in (7, 8, 15, 1000):
        assert Gated().refuses(update({ALICE: (0, [shared(reference, parent="l")])})) is Code.BAD_UPDATE
