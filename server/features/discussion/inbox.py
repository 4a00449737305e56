"""Inbox in the REST API: what concerns one person, in all documents."""

import re
from collections.abc import Callable, Mapping

from crdt.errors import Code, ProtocolError
from crdt.ids import DocumentId, is_document_id
from crdt.permissions import Action, may
from server.auth.base import Identity
from server.features.discussion.bodies import excerpt_of
from server.features.discussion.forms import Inbox, InboxChange, InboxEntry, InboxQuery, Unread
from server.features.discussion.threads import shown_author
from server.http.operation import Asked, operation
from server.people.access import Access, NotPossible, Ruling
from server.store.base import Store
from server.store.inbox_base import InboxEntry as StoredEntry
from server.store.inbox_base import Place

_CURSOR = re.compile(r"([ur])(\d{1,18})\Z", re.ASCII)
_ENTRY = re.compile(r"\d{1,18}\Z", re.ASCII)


class InboxApi:
    """A person's inbox over HTTP.

    `changed` is told of each person whose inbox has changed. `mails`: the server sends mail.
    """

    def __init__(
        self, store: Store, access: Access, changed: Callable[[frozenset[str]], None], *, mails: bool = False
    ) -> None:
        self._inboxes = store.inboxes
        self._access = access
        self._changed = changed
        self._mails = mails

    @operation("GET /api/inbox")
    async def read_inbox(self, asked: Asked, query: InboxQuery) -> Inbox:
        """Read one's inbox, without what is in documents that are not open to one any more."""
        identity = asked.identity
        found = await self._inboxes.page(identity.user.user_id, query.limit + 1, _place(query.cursor))
        page = found[: query.limit]
        rulings = await self._access.rulings(identity, {entry.document_id for entry in page})
        entries = [_shown(entry) for entry in page if is_open(entry, rulings)]
        last = page[-1] if len(found) > len(page) else None
        cursor = None if last is None else f"{'r' if last.read else 'u'}{last.entry_id}"
        mail = await self._inboxes.wants_mail(identity.user.user_id) if self._mails else None
        return Inbox(entries, await self._unread(identity), cursor, mail)

    @operation("GET /api/inbox/unread")
    async def count_unread(self, asked: Asked) -> Unread:
        """Count the unread entries of one's inbox."""
        return await self._told(asked.identity)

    @operation("PATCH /api/inbox", errors={409})
    async def change_inbox(self, asked: Asked, body: InboxChange) -> Unread:
        """Mark entries of one's inbox as read, or choose whether and how to get mail."""
        identity, marked = asked.identity, False
        user_id = identity.user.user_id
        if isinstance(body.mail, bool):
            if not self._mails:
                raise NotPossible("This server sends no mail.")
            await self._inboxes.set_mail(user_id, wanted=body.mail)
        if isinstance(body.language, str):
            await self._inboxes.set_language(user_id, body.language)
        if isinstance(body.ids, list):
            marked |= await self._inboxes.mark_read(user_id, [_entry_id(each) for each in body.ids])
        if isinstance(body.until, str):
            marked |= await self._inboxes.mark_until(user_id, _entry_id(body.until))
        if isinstance(body.thread, str) and is_document_id(body.document_id):
            marked |= await self._inboxes.mark_thread(user_id, DocumentId(str(body.document_id)), body.thread)
        if marked:
            self._changed(frozenset({user_id}))
        return await self._told(identity)

    async def _told(self, identity: Identity) -> Unread:
        language = await self._inboxes.language(identity.user.user_id) if self._mails else None
        return Unread(await self._unread(identity), language)

    async def _unread(self, identity: Identity) -> int:
        counts = await self._inboxes.unread(identity.user.user_id)
        if not counts:
            return 0
        unread = 0
        for document_id, ruling in (await self._access.rulings(identity, counts)).items():
            count = counts[document_id]
            may_read = count.open_to_viewers or may(ruling.role, Action.COMMENT)
            unread += count.others + (count.discussion if may_read else 0)
        return unread


def is_open(entry: StoredEntry, rulings: Mapping[DocumentId, Ruling]) -> bool:
    """Whether somebody may still see what an entry is about."""
    ruling = rulings.get(entry.document_id)
    if ruling is None:
        return False
    return not entry.thread_id or entry.open_to_viewers or may(ruling.role, Action.COMMENT)


def _shown(entry: StoredEntry) -> InboxEntry:
    return InboxEntry(
        str(entry.entry_id),
        entry.reason.value,
        shown_author(entry.by),
        entry.at.isoformat(),
        entry.read,
        entry.document_id,
        entry.title,
        entry.thread_id or None,
        entry.comment_id or None,
        entry.suggestion_id or None,
        excerpt_of(entry.body),
    )


def _place(cursor: str) -> Place:
    if not cursor:
        return Place()
    found = _CURSOR.match(cursor)
    if found is None:
        raise ProtocolError(Code.MALFORMED, "The cursor is not one that an earlier page of the inbox gave.")
    return Place(found[1] == "r", int(found[2]))


def _entry_id(value: str) -> int:
    if _ENTRY.match(value) is None:
        raise ProtocolError(Code.MALFORMED, "An entry's id is one that the inbox gave.")
    return int(value)
