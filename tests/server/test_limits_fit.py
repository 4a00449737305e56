"""The limits held against one another: what one lets through another can carry, what can be used up can be got back.

Every limit stands in one of the tables below: one that is added without being thought of here fails
the first test.
"""

from msgspec.structs import fields

from crdt.permissions import Role, share_of
from crdt.protocol.messages import Limits
from crdt.yjs.limits import GateLimits
from crdt.yjs.varint import MAX_CLOCK, encode_state_vector
from server.app import create_app
from server.config import Config, declared
from server.config.limits import ConnectionLimits, DocumentLimits, HttpLimits, Rates
from server.doors.sweeper import BUFFERED_BYTES
from server.rooms.intake import INLINE_BYTES
from tests.harness.memory_store import memory_store

MiB = 2**20
CONFIG = Config()
ROOM, GATE = Limits(), GateLimits()
PROMISE = 64 * MiB
"""What one person makes a node's memory grow by, at most."""

USED_UP = {
    # By what can be used up: how its people get it back, themselves.
    "document_bytes": "deleting is always let in, and is cleared away within a minute (test_full_documents.py)",
    "types": "those that were deleted are gone when the document is opened again (test_compaction.py)",
    "document_structs": "deleting goes on, and what was deleted is joined when the document is opened again (test_gate_growth.py)",
    "document_values": "what was deleted or overwritten does not count any more when the limit is reached (test_many_values.py)",
    "client_ids": "never: ids of others fill half of them, one person's own pages take weeks for the rest (test_gate_growth.py)",
    "brought_client_ids": "never: whoever writes under the id of their session needs none (test_gate_growth.py)",
    "root_names": "never: the editor's and those that are there go on (test_gate_growth.py)",
    "max_document_attachments_bytes": "with the document",
    "max_documents_per_user": "deleting a document for ever (test_limits.py)",
    "max_people_per_document": "taking a role from somebody",
    "max_held_bytes": "what is done, given up or out of time (test_budget.py)",
    "max_held_bytes_per_user": "the same",
    "max_open_bytes_per_user": "closing a document; half a minute later it is out of memory",
    "waiting_bytes": "the store's return",
    "members": "leaving",
    "max_connections": "leaving",
    "max_connections_per_address": "leaving",
    "max_connections_per_user": "leaving",
    "max_handshakes_per_address": "CONNECT, or the time for it",
    "max_documents_per_connection": "leaving",
}

KEPT_FOR_WRITERS = {
    # By what the people of a document share: which story says that nobody takes it from those who write.
    "types": "test_suggesting.py",
    "document_structs": "test_suggesting.py",
    "document_values": "test_suggesting.py",
    "client_ids": "test_suggesting.py",
    "brought_client_ids": "test_gate_growth.py",
    "root_names": "whoever only suggests changes nothing beside the text",
    "document_bytes": "test_room_roles.py",
    "waiting_bytes": "test_room_roles.py",
    "members": "test_room_refusals.py",
    "max_document_attachments_bytes": "test_http_attachments.py",
    "max_people_per_document": "only owners give roles",
}

OF_ONE_MESSAGE = {
    # Each is of one thing by itself: smaller ones go through as before.
    *("update_bytes", "part_bytes", "presence_bytes", "backlog_bytes", "max_attachment_bytes"),
    *("structs", "any_values", "any_depth", "type_depth"),
    *("connect_seconds", "ready_seconds"),
    *(each.name for each in declared(Rates)),
}


def test_whatever_can_be_used_up_is_got_back_or_locks_nobody_out() -> None:
    of_documents = {each.name for each in declared(DocumentLimits)}
    assert of_documents == {"max_" + each.name for each in fields(Limits)} - {"max_presence_bytes"}
    limits = {each.name for each in (*fields(Limits), *fields(GateLimits)) if each.type is int}
    settings = {each.name for part in (ConnectionLimits, Rates, HttpLimits) for each in declared(part)}
    missing = (limits | settings) - set(USED_UP) - OF_ONE_MESSAGE
    assert missing == set(), "is it got back when it is used up, and how? Or is it of one message alone?"


def test_nobody_uses_up_what_others_need_to_write() -> None:
    of_a_person = {name for name in USED_UP if name.startswith("max_")} - {
        "max_document_attachments_bytes",
        "max_people_per_document",
    }
    assert set(KEPT_FOR_WRITERS) == set(USED_UP) - of_a_person
    for limits in (ROOM, GATE):
        of_suggestions = limits.for_suggestions()
        kept = {
            each.name for each in fields(limits) if getattr(of_suggestions, each.name) != getattr(limits, each.name)
        }
        assert kept == {each.name for each in fields(limits)} & {
            name
            for name, story in KEPT_FOR_WRITERS.items()
            if story in ("test_suggesting.py", "test_room_roles.py", "test_gate_growth.py")
        }
    assert share_of(ROOM.members, Role.VIEWER) < ROOM.members == share_of(ROOM.members, Role.EDITOR)


def test_whoever_has_a_document_can_say_so_in_one_message() -> None:
    """Over long-polling too, where bytes travel as base64; or nobody could come back into a document that is full of ids."""
    worst = encode_state_vector({2**53 - 1 - number: MAX_CLOCK for number in range(GATE.client_ids)})
    message_bytes = create_app(CONFIG, store=memory_store()).gateway.message_bytes
    assert len(worst) * 4 // 3 + 1024 <= message_bytes
    assert 0 < GATE.brought_client_ids <= GATE.client_ids // 2


def test_what_is_let_in_can_be_carried_on() -> None:
    assert INLINE_BYTES <= ROOM.part_bytes <= ROOM.update_bytes <= ROOM.waiting_bytes <= ROOM.document_bytes
    assert ROOM.update_bytes <= GATE.update_bytes
    assert 2 * ROOM.part_bytes <= ROOM.backlog_bytes <= BUFFERED_BYTES


def test_a_share_holds_the_largest_of_everything() -> None:
    share, total = CONFIG.connections.max_held_bytes_per_user, CONFIG.connections.max_held_bytes
    assert ROOM.update_bytes <= share
    assert CONFIG.http.max_attachment_bytes <= share
    assert 2 * ROOM.document_bytes <= total, "two people fetch the largest document"
    assert 8 * share <= total, "several people's shares fit"


def test_what_one_person_can_make_a_node_hold_is_bounded() -> None:
    """In bytes, by where they wait. Documents have a bound of their own, past which somebody can open no other (test_memory_shares.py)."""
    connections = CONFIG.connections.max_connections_per_user
    held = {
        "leased: uploads, missing updates, bodies": CONFIG.connections.max_held_bytes_per_user,
        "buffers of connections": BUFFERED_BYTES,
        "connections themselves": connections * 40_000,
    }
    assert sum(held.values()) <= PROMISE
