"""Owners of client ids: the session that first writes under an id owns it.

An id that is only brought along stays free, unless its owner is here.
"""

from typing import Any

import pytest
from pycrdt import Doc, Text

from crdt.errors import Code, ProtocolError
from crdt.ids import ClientId, NodeId, PresenceId
from crdt.protocol.messages import PresenceChange, User
from crdt.protocol.row import Stored
from crdt.room.session import hash_key
from tests.harness.room import EMPTY, Seat, Table

ELSEWHERE = NodeId("elsewhere")
ANNA, BERT = 1, 2
"""The authors of the old document, and their client ids of that time."""


def old_document(*words: str) -> "Doc[Any]":
    """Return a document that Anna and Bert wrote in turns before they came here."""
    doc: Doc[Any] = Doc()
    for number, word in enumerate(words):
        author: Doc[Any] = Doc(client_id=(ANNA, BERT)[number % 2])
        author.apply_update(doc.get_update())
        author.get("story", type=Text).insert(len(str(author.get("story", type=Text))), word)
        doc.apply_update(author.get_update())
    return doc


def bring(seat: Seat, doc: "Doc[Any]") -> None:
    """Upload the part of a copy that the server lacks, as the provider does."""
    seat.doc.apply_update(doc.get_update())
    seat.sends(doc.get_update())


def shown_elsewhere(table: Table, client_id: int, user_id: str) -> PresenceChange:
    """Show somebody as present on another node."""
    change = PresenceChange(PresenceId(77), ClientId(client_id), User(user_id, user_id.title(), "#112233"), {"at": 1})
    table.carry_out(table.room.members.hear_presence(ELSEWHERE, [change]))
    return change


def forged_under(client_id: int, words: str) -> bytes:
    doc: Doc[Any] = Doc(client_id=client_id)
    doc.get("story", type=Text).insert(0, words)
    return doc.get_update()


def test_who_brings_an_old_document_binds_only_their_own_id() -> None:
    table = Table()
    (importer,) = table.seat("importer")
    bring(importer, old_document("anna ", "bert "))
    importer.types("imported")
    table.commit()
    assert table.bindings == {importer.client_id: hash_key(str(importer.key))}


def test_people_of_an_old_document_come_back_with_what_they_wrote_offline() -> None:
    table = Table()
    importer, anna = table.seat("importer", "anna")
    bring(importer, old_document("anna ", "bert "))
    table.commit()
    bring(anna, old_document("anna ", "bert ", "anna offline "))
    table.commit()
    assert (anna.refusals, importer.text) == ([], "anna bert anna offline ")


def test_an_old_document_can_be_brought_twice_by_different_people() -> None:
    table = Table()
    first, second = table.seat("first", "second")
    bring(first, old_document("anna "))
    table.commit()
    bring(second, old_document("anna ", "bert ", "more "))
    table.commit()
    assert (second.refusals, first.text) == ([], "anna bert more ")


def test_an_id_that_was_brought_is_bound_when_its_owner_goes_on_under_it() -> None:
    table = Table()
    (importer,) = table.seat("importer")
    bring(importer, old_document("anna "))
    table.commit()
    (anna,) = table.seat("anna", first_client_id=0)
    assert anna.client_id == ANNA
    anna.types("is back ")
    table.commit()
    assert table.bindings[ClientId(ANNA)] == hash_key(str(anna.key))
    importer.sends(old_document("anna ", "", "forged, and longer than hers ").get_update())
    assert importer.refusals == ["client_id_taken"]


def test_while_a_row_is_under_way_nobody_else_writes_under_what_it_brings() -> None:
    table = Table()
    first, second = table.seat("first", "second")
    bring(first, old_document("anna "))
    table.flush()
    bring(second, old_document("anna ", "", "and more "))
    assert second.refusals == ["unavailable"]
    table.settle()
    bring(second, old_document("anna ", "", "and more "))
    table.commit()
    assert first.text == "anna and more "


def test_what_one_tab_brings_and_another_goes_on_with_is_bound_in_one_row() -> None:
    """Two tabs share an offline copy and its key.

    The first tab's words arrive by the second tab before the first tab sends them.
    """
    table = Table()
    first, second = table.seat("first", "second")
    second.leaves()
    second.key = first.key
    second.joins()
    second.sends(first.writes("typed offline, "))
    first.types("then online")
    table.flush()
    claims = table.appends[0].author_keys
    assert claims == ((first.client_id, hash_key(str(first.key))),)


def test_an_id_that_another_node_shows_is_not_to_be_joined_with_by_somebody_else() -> None:
    table = Table()
    shown_elsewhere(table, 1000, "carol")
    with pytest.raises(ProtocolError) as refused:
        table.seat("mallory", first_client_id=1000)
    assert refused.value.code is Code.CLIENT_ID_TAKEN
    (carol,) = table.seat("carol", first_client_id=999)  # the second seat: her browser has come back through this node
    assert carol.client_id == 1000


@pytest.mark.parametrize("keyed", [True, False])
def test_an_id_that_another_node_shows_is_not_to_be_written_under_by_somebody_else(keyed: bool) -> None:
    table = Table()
    (mallory,) = table.seat("mallory", keyed=keyed)
    shown = shown_elsewhere(table, 1, "carol")
    mallory.sends(forged_under(1, "forged"))
    assert mallory.refusals == ["client_id_taken"]
    gone = PresenceChange(shown.presence_id, shown.client_id, shown.user, None)
    table.carry_out(table.room.members.hear_presence(ELSEWHERE, [gone]))
    mallory.sends(forged_under(1, "an old copy"))
    assert mallory.refusals == ["client_id_taken"], "nobody is there any more"


def test_who_opened_the_document_before_hearing_of_others_is_refused_at_the_first_words() -> None:
    table = Table()
    (mallory,) = table.seat("mallory", first_client_id=1)
    shown_elsewhere(table, 1, "carol")
    mallory.types("first!")
    assert mallory.refusals == ["client_id_taken"]


def test_bindings_count_for_more_than_what_is_shown() -> None:
    """Presence may be forged or out of date. The session with the key goes on."""
    key = hash_key("key-of-alice-0123456789")
    table = Table(Stored(EMPTY.epoch, None, EMPTY.snapshot_seq, (), {ClientId(1000): key}))
    shown_elsewhere(table, 1000, "somebody")
    (alice,) = table.seat("alice")
    alice.types("mine")
    table.commit()
    assert (alice.refusals, alice.acknowledged) == ([], [1])
