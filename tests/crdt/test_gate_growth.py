"""Growth limits of a document. A stranger who uses a limit up locks nobody out who is here."""

from typing import Any

import pytest
from pycrdt import Doc

from crdt.errors import Code, ProtocolError
from crdt.gate.admission import NO_ROOTS, Except, Roots
from crdt.gate.gate import Knowledge
from crdt.yjs.contents import XML_ELEMENT
from crdt.yjs.limits import GateLimits
from crdt.yjs.reader import inspect
from tests.harness.update_writer import mark, shared, text, update

ALICE, BOB, CAROL = 7, 2**53 - 1, 3_000_000_000


class Gated:
    """A document's gate, and the sessions that send to it."""

    def __init__(self, limits: GateLimits) -> None:
        self._limits = limits
        self._knowledge = Knowledge(limits)

    def lets_in(self, each: bytes, own: int | None = None, closed: Roots = NO_ROOTS) -> None:
        self._knowledge.admit([inspect(each, self._limits)], lambda _: True, own, closed=closed)

    def refuses(self, each: bytes, own: int | None = None, closed: Roots = NO_ROOTS) -> Code:
        with pytest.raises(ProtocolError) as refusal:
            self.lets_in(each, own, closed)
        return refusal.value.code


def test_whoever_is_here_begins_where_no_more_ids_of_others_may_be_brought() -> None:
    """A stranger's upload of thousands of ids locks nobody out.

    The ids that are left are for sessions, each under its own id.
    """
    gated = Gated(GateLimits(brought_client_ids=2, client_ids=4))
    gated.lets_in(update({ALICE: (0, [text("hello", parent="t")])}))
    first, second, third = ({client: (0, [text("x", parent="t")])} for client in (BOB, CAROL, CAROL + 1))
    assert gated.refuses(update({**first, **second})) is Code.DOCUMENT_FULL
    gated.lets_in(update(first))
    assert gated.refuses(update(second)) is Code.DOCUMENT_FULL
    assert gated.refuses(update({**second, **third}), own=CAROL) is Code.DOCUMENT_FULL
    gated.lets_in(update(second), own=CAROL)
    gated.lets_in(update({CAROL: (1, [text("y", left=(CAROL, 0))])}))
    gated.lets_in(update(third), own=CAROL + 1)
    assert gated.refuses(update({99: (0, [text("x", parent="t")])}), own=99) is Code.DOCUMENT_FULL


def test_whoever_only_suggests_leaves_ids_that_others_may_bring() -> None:
    """One update may bring ids by the hundred, and an import needs some."""
    gated, suggests = Gated(GateLimits(brought_client_ids=8)), Except(frozenset({"default"}))
    brought = [update({client: (0, [shared(XML_ELEMENT, parent="default")])}) for client in range(100, 110)]
    for each in brought[:6]:
        gated.lets_in(each, closed=suggests)
    assert gated.refuses(brought[6], closed=suggests) is Code.DOCUMENT_FULL
    gated.lets_in(brought[6], own=106, closed=suggests)
    gated.lets_in(brought[7])
    assert gated.refuses(brought[8]) is Code.DOCUMENT_FULL


def test_invented_roots_lock_out_neither_the_editor_nor_what_the_document_has() -> None:
    gated = Gated(GateLimits(root_names=2))
    gated.lets_in(update({ALICE: (0, [text("x", parent="one"), text("y", parent="two")])}))
    assert gated.refuses(update({BOB: (0, [text("x", parent="three")])})) is Code.DOCUMENT_FULL
    gated.lets_in(update({BOB: (0, [text("x", parent="two"), shared(XML_ELEMENT, parent="default")])}))
    assert gated.refuses(update({CAROL: (0, [text("x", parent="three")])})) is Code.DOCUMENT_FULL
    gated.lets_in(update({CAROL: (0, [text("x", parent="one")])}))


def test_an_update_with_more_ids_than_a_document_may_have_is_refused_before_it_has_cost_anything() -> None:
    gated = Gated(GateLimits(brought_client_ids=2, client_ids=2))
    nonsense = {client: (5, [text("x", parent="t")]) for client in (ALICE, BOB, CAROL)}
    assert gated.refuses(update(nonsense)) is Code.DOCUMENT_FULL, "and not missing_past, which it would find first"


def test_people_of_a_document_full_of_structs_may_delete_and_go_on_once_it_is_folded() -> None:
    limits = GateLimits(document_structs=10)
    gated, doc = Gated(limits), Doc[Any]()
    full = update({ALICE: (0, [mark("b", "1", parent="t"), *[mark("b", "1", left=(ALICE, at)) for at in range(9)]])})
    more = update({BOB: (0, [mark("b", "1", left=(ALICE, 9))])})
    emptied = update({}, {ALICE: [(0, 9)]})
    gated.lets_in(full)
    assert gated.refuses(more) is Code.DOCUMENT_FULL
    gated.lets_in(emptied)
    assert gated.refuses(more) is Code.DOCUMENT_FULL, "until it is opened again"
    for each in (full, emptied):
        doc.apply_update(each)
    Knowledge.from_snapshot(doc.get_update(), limits).admit([inspect(more, limits)], lambda _: True)


def test_text_that_is_typed_on_takes_no_place_among_the_structs() -> None:
    gated = Gated(GateLimits(document_structs=2))
    gated.lets_in(update({ALICE: (0, [text("é", parent="t")])}))
    for clock in range(1, 50):
        gated.lets_in(update({ALICE: (clock, [text("é", left=(ALICE, clock - 1))])}))
