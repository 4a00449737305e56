"""Notices: each kind of deed, and the message that open pages get."""

from datetime import UTC, datetime

import pytest

from crdt.errors import Code
from crdt.ids import DocumentId
from crdt.protocol.hints import AccessHint, AskedHint, ClosedHint, DiscussionHint, DocumentHint, Notice
from crdt.protocol.messages import DocumentInfo
from server.rooms.rooms import notice_of
from server.store.base import Entry
from server.store.deeds_base import ABOUT_DISCUSSION, Deed, Done, Kind

DOCUMENT = DocumentId("a-document")
NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)

TITLE, ACCESS = DocumentHint(DocumentInfo("Title", None)), AccessHint(7)
TALK = DiscussionHint(3)
TOLD: dict[Kind, Notice | None] = {
    **dict.fromkeys(ABOUT_DISCUSSION, TALK),
    Kind.DISCUSSION_RULE: TALK,
    Kind.CREATE: None,
    Kind.RENAME: TITLE,
    Kind.LABELS: None,
    Kind.TRASH: TITLE,
    Kind.RESTORE: TITLE,
    Kind.FORMAT: TITLE,
    Kind.ANY_FORMAT: TITLE,
    Kind.DELETE: ClosedHint(Code.DELETED, "This document was deleted."),
    Kind.GRANT: ACCESS,
    Kind.REVOKE: ACCESS,
    Kind.LINK: ACCESS,
    Kind.TRANSFER: ACCESS,
    Kind.ADOPT: ACCESS,
    Kind.ACCEPT_INVITATION: ACCESS,
    Kind.ASK: AskedHint(),
    Kind.REFUSE: AskedHint(),
    Kind.PUT_BACK: None,
    Kind.DROPPED: None,
}


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_of_deed_has_its_notice_or_none(kind: Kind) -> None:
    entry = None if kind is Kind.DELETE else Entry(DOCUMENT, "Title", NOON, NOON, None, 0)
    assert notice_of(Done(Deed(kind, DOCUMENT, "anna", NOON), entry, 7, 3)) == TOLD[kind]


def test_nobody_is_told_of_what_changed_nothing() -> None:
    assert notice_of(Done(None, Entry(DOCUMENT, "Title", NOON, NOON, None, 0), 7)) is None
