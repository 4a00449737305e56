"""Acts in a discussion, each in its turn: what it may do, what it changes, whom it tells."""

import json
from collections.abc import Mapping
from functools import cache
from typing import Any, assert_never

from msgspec import Struct, field
from msgspec.structs import replace
from sqlalchemy import (
    BigInteger,
    Connection,
    LargeBinary,
    Select,
    and_,
    bindparam,
    cast,
    delete,
    func,
    literal_column,
    select,
    update,
)

from crdt.errors import Code, ProtocolError
from crdt.ids import DocumentId
from crdt.permissions import Action, forbidden, may, share_of
from server.store.catalogue import nothing_done, write_deed
from server.store.contributors import key_of
from server.store.database import (
    change,
    fetch,
    from_microseconds,
    unless_there,
)
from server.store.deeds_base import Deed, Done, Kind
from server.store.inbox import note_contributor, put_entries, put_outcome, take_entries
from server.store.inbox_base import Reason
from server.store.schema import comments, documents, reactions, threads
from server.store.threads_base import (
    KEEP,
    KEPT_GONE,
    MAX_BYTES,
    MAX_COMMENTS,
    MAX_EMOJI,
    MAX_REACTIONS,
    MAX_THREADS,
    OWN_PART,
    REACTION_BYTES,
    Act,
    Actor,
    Begin,
    Change,
    Delete,
    Quote,
    React,
    Rule,
    Said,
    Say,
    Settle,
    StoredThread,
)
from server.store.threads_reading import GONE, IS_GONE, OF_DOCUMENT, THIS, read_one

_RAISE = (
    update(documents)
    .where(documents.c.key == bindparam("of_document"))
    .values(discussion_version=bindparam("version", type_=BigInteger))
)
_LET = (
    update(documents)
    .where(documents.c.key == bindparam("of_document"))
    .values(discussion_open=bindparam("is_open", type_=BigInteger))
)
_SINK_FLOOR = (
    update(documents)
    .where(documents.c.key == bindparam("of_document"))
    .values(discussion_floor=bindparam("floor", type_=BigInteger))
)

_THREAD = select(
    threads.c.state, threads.c.author_id, threads.c.assignee_id, threads.c.quote, threads.c.bytes, threads.c.version
).add_columns(threads.c.quote_before, threads.c.quote_after)
_ONE = _THREAD.where(THIS)
_TOTAL = select(func.count(), func.coalesce(func.sum(threads.c.bytes), 0)).where(OF_DOCUMENT, ~IS_GONE)
_BEGUN_BY = select(func.count()).where(OF_DOCUMENT, ~IS_GONE, threads.c.author_id == bindparam("of_user"))
_ABOUT = select(threads.c.thread_id).where(
    OF_DOCUMENT, threads.c.suggestion_id == bindparam("suggestion"), threads.c.state == literal_column("'open'")
)
_SET = (
    update(threads)
    .where(THIS)
    .values({name: bindparam(f"new_{name}") for name in ("state", "changed_by", "changed_at", "version")})
)
_TOUCH = (
    update(threads)
    .where(THIS)
    .values(version=bindparam("new_version"), bytes=threads.c.bytes + bindparam("more", type_=BigInteger))
)
_ASSIGN = update(threads).where(THIS).values(assignee_id=bindparam("new_assignee"), version=bindparam("new_version"))
_QUOTE = (
    update(threads)
    .where(THIS)
    .values({name: bindparam(f"new_{name}") for name in ("quote", "quote_before", "quote_after", "version")})
)
_EMPTY = (
    update(threads)
    .where(THIS)
    .values(
        state=GONE,
        quote="",
        quote_before="",
        quote_after="",
        assignee_id=None,
        bytes=0,
        version=bindparam("new_version"),
    )
)
_OVER_GONE = (
    select(threads.c.version)
    .where(OF_DOCUMENT, IS_GONE)
    .order_by(threads.c.version.desc())
    .offset(bindparam("most", type_=BigInteger))
    .limit(literal_column("1"))
)
_FORGET_GONE = delete(threads).where(OF_DOCUMENT, IS_GONE, threads.c.version <= bindparam("floor", type_=BigInteger))

_IN_THREAD = and_(comments.c.document_key == bindparam("of_document"), comments.c.thread_id == bindparam("of_thread"))
_THIS_COMMENT = and_(_IN_THREAD, comments.c.comment_id == bindparam("of_comment"))
_COMMENT = select(comments.c.author_id, comments.c.deleted_at, comments.c.body).where(_THIS_COMMENT)
_SAID_BY = select(comments.c.author_id, comments.c.deleted_at).where(_IN_THREAD)
_EDIT = update(comments).where(_THIS_COMMENT).values(body=bindparam("new_body"), edited_at=bindparam("now"))
_BLANK = update(comments).where(_THIS_COMMENT).values(body="", deleted_at=bindparam("now"))
_DROP_COMMENTS = delete(comments).where(_IN_THREAD)
_OF_THREAD = and_(reactions.c.document_key == bindparam("of_document"), reactions.c.thread_id == bindparam("of_thread"))
_DROP_REACTIONS = delete(reactions).where(_OF_THREAD)
_BESIDE = and_(_OF_THREAD, reactions.c.comment_id == bindparam("of_comment"))
_DROP_BESIDE = delete(reactions).where(_BESIDE)
_ALL_BESIDE = select(reactions.c.emoji).where(_BESIDE)
_TAKE_BACK = delete(reactions).where(
    _BESIDE, reactions.c.emoji == bindparam("of_emoji"), reactions.c.user_id == bindparam("of_user")
)


class _Thread(Struct):
    """The part of a thread by which an act is judged."""

    state: str
    author_id: str
    assignee_id: str | None
    quote: Quote


class Turn(Struct):
    """One act in a document whose row is locked. Deeds are written last (catalogue.py)."""

    connection: Connection
    document_id: DocumentId
    key: int
    version: int
    actor: Actor
    now: int
    is_open: bool
    deeds: list[tuple[Kind, dict[str, str]]] = field(default_factory=list)
    inboxes: frozenset[str] = frozenset()
    raised: bool = False

    def carry_out(self, act: Act) -> str | None:
        """Carry an act out. Return the id of the thread that it leaves."""
        match act:
            case Begin(thread_id):
                self._begin(act)
                return thread_id
            case Say(thread_id):
                self._say(act)
                return thread_id
            case Change(thread_id):
                self._change(act)
                return thread_id
            case Delete(thread_id, comment_id):
                if comment_id is None:
                    self._delete_thread(thread_id)
                else:
                    self._delete_comment(thread_id, comment_id)
            case React(thread_id):
                self._react(act)
                return thread_id
            case Settle():
                self._settle(act)
            case Rule(viewers):
                if viewers != self.is_open:
                    change(self.connection, _LET, of_document=self.key, is_open=int(viewers))
                    self._raise()
                    self.deeds.append((Kind.DISCUSSION_RULE, {"viewers": "yes" if viewers else "no"}))
            case _:
                assert_never(act)
        return None

    def finish(self) -> Done:
        """Store the version, and write the deeds."""
        if not self.deeds:
            return nothing_done(self.connection, self.document_id) or Done(None, None)
        if self.raised:
            change(self.connection, _RAISE, of_document=self.key, version=self.version)
        at, by = from_microseconds(self.now), self.actor.who.user_id
        *before, last = [Deed(kind, self.document_id, by, at, details) for kind, details in self.deeds]
        return replace(write_deed(self.connection, last, *before), inboxes=self.inboxes)

    def thread(self, thread_id: str | None) -> StoredThread | None:
        """Read a thread as it is now."""
        if thread_id is None:
            return None
        return read_one(self.connection, self.key, thread_id)

    # Beginning and saying.

    def _begin(self, act: Begin) -> None:
        there = self._look(act.thread_id)
        if there is not None:
            if there.state == GONE:
                raise ProtocolError(Code.DELETED, "This thread was deleted.")
            if there.author_id != self.actor.who.user_id:
                raise ProtocolError(Code.CONFLICT, "Somebody else has begun a thread of this id. Take a new id.")
            return
        ((count, size),) = fetch(self.connection, _TOTAL, of_document=self.key)
        if count >= MAX_THREADS:
            message = f"A document may hold {MAX_THREADS} threads. Delete some first."
            raise ProtocolError(Code.DOCUMENT_FULL, message)
        self._check_share(count + 1, MAX_THREADS, _BEGUN_BY)
        self._check_size(size, act.said)
        row = {
            "document_key": self.key,
            "thread_id": act.thread_id,
            "kind": "suggestion" if act.suggestion_id else "comment",
            "suggestion_id": act.suggestion_id,
            "quote": act.quote.words,
            "quote_before": act.quote.before,
            "quote_after": act.quote.after,
            "state": "open",
            "author": note_contributor(self.connection, self.actor.who),
            "author_id": self.actor.who.user_id,
            "created_at": self.now,
            "changed_by": None,
            "changed_at": None,
            "assignee_id": act.assignee,
            "version": self._raise(),
            "bytes": len(act.said.body.encode()),
        }
        change(self.connection, unless_there(self.connection.dialect.name, threads), **row)
        self._add_comment(act.thread_id, act.comment_id, act.said)
        about = {"thread": act.thread_id, "comment": act.comment_id}
        self.deeds.append((Kind.COMMENT, about))
        reasons = {} if act.assignee is None else {act.assignee: Reason.ASSIGNED}
        if act.assignee is not None:
            self.deeds.append((Kind.ASSIGN, {"thread": act.thread_id, "user_id": act.assignee}))
        self._tell_of_comment(about, act.said.mentions, reasons)

    def _say(self, act: Say) -> None:
        there = self._living_thread(act.thread_id)
        of = {"of_document": self.key, "of_thread": act.thread_id, "of_comment": act.comment_id}
        for author_id, deleted_at, body in fetch(self.connection, _COMMENT, **of):
            self._edit(act, author_id, body, deleted=deleted_at is not None)
            return
        people = fetch(self.connection, _SAID_BY, of_document=self.key, of_thread=act.thread_id)
        if len(people) >= MAX_COMMENTS:
            message = f"A thread may hold {MAX_COMMENTS} comments. Begin a new thread."
            raise ProtocolError(Code.DOCUMENT_FULL, message)
        self._check_share(len(people) + 1, MAX_COMMENTS)
        ((_, size),) = fetch(self.connection, _TOTAL, of_document=self.key)
        self._check_size(size, act.said)
        note_contributor(self.connection, self.actor.who)
        self._add_comment(act.thread_id, act.comment_id, act.said)
        self._touch(act.thread_id, len(act.said.body.encode()))
        about = {"thread": act.thread_id, "comment": act.comment_id}
        self.deeds.append((Kind.REPLY, about))
        if there.state == "resolved":
            self._set_state(act.thread_id, "open")
        reasons = dict.fromkeys(self._participants(act.thread_id, there), Reason.REPLY)
        self._tell_of_comment(about, act.said.mentions, reasons)

    def _edit(self, act: Say, author_id: str, body: str, *, deleted: bool) -> None:
        if author_id != self.actor.who.user_id:
            raise ProtocolError(Code.FORBIDDEN, "This is somebody else's comment. Only they may edit it.")
        if deleted:
            raise ProtocolError(Code.DELETED, "This comment was deleted.")
        if body == act.said.body:
            return
        more = len(act.said.body.encode()) - len(body.encode())
        ((_, size),) = fetch(self.connection, _TOTAL, of_document=self.key)
        if more > 0:
            self._check_bytes(size + more)
        of = {"of_document": self.key, "of_thread": act.thread_id, "of_comment": act.comment_id}
        change(self.connection, _EDIT, **of, new_body=act.said.body, now=self.now)
        self._touch(act.thread_id, more)
        about = {"thread": act.thread_id, "comment": act.comment_id}
        self.deeds.append((Kind.EDIT_COMMENT, about))
        # Who was mentioned before has been told.
        told = _mentions_of(body)
        newly = tuple(user_id for user_id in act.said.mentions if user_id not in told)
        self._tell_of_comment(about, newly, {})

    def _check_size(self, size: int, said: Said) -> None:
        self._check_bytes(size + len(said.body.encode()))

    def _check_bytes(self, size: int) -> None:
        if size > MAX_BYTES:
            raise ProtocolError(Code.DOCUMENT_FULL, "The document's discussion is full. Delete some threads first.")
        self._check_share(size, MAX_BYTES, _written_by(self.connection.dialect.name))

    def _add_comment(self, thread_id: str, comment_id: str, said: Said) -> None:
        row = {
            "document_key": self.key,
            "thread_id": thread_id,
            "comment_id": comment_id,
            "author": key_of(self.actor.who),
            "author_id": self.actor.who.user_id,
            "created_at": self.now,
            "edited_at": None,
            "deleted_at": None,
            "body": said.body,
        }
        change(self.connection, unless_there(self.connection.dialect.name, comments), **row)

    def _tell_of_comment(self, about: dict[str, str], mentions: tuple[str, ...], others: dict[str, Reason]) -> None:
        """Tell people of a comment, each once. A mention counts more than a reply."""
        reasons = {**others, **{u: Reason.MENTION for u in mentions if others.get(u) is not Reason.ASSIGNED}}
        self._tell(reasons, about["thread"], about["comment"])
        self.deeds += [(Kind.MENTION, {**about, "user_id": user_id}) for user_id in mentions]

    # Changing.

    def _change(self, act: Change) -> None:
        there = self._living_thread(act.thread_id)
        self._check_own(there, Action.RESOLVE)
        if act.quote is not None and act.quote != there.quote:
            words = {"new_quote": act.quote.words, "new_quote_before": act.quote.before}
            self._update(_QUOTE, act.thread_id, **words, new_quote_after=act.quote.after)
            self.deeds.append((Kind.REATTACH, {"thread": act.thread_id}))
        if act.assignee is not KEEP and act.assignee != there.assignee_id:
            assignee = None if act.assignee is None else str(act.assignee)
            self._update(_ASSIGN, act.thread_id, new_assignee=assignee)
            self.deeds.append((Kind.ASSIGN, {"thread": act.thread_id, "user_id": assignee or "none"}))
            if assignee is not None:
                self._tell({assignee: Reason.ASSIGNED}, act.thread_id)
        if act.state is not None and act.state != there.state:
            self._set_state(act.thread_id, act.state)
            if act.state == "resolved":
                people = self._participants(act.thread_id, there)
                self._tell(dict.fromkeys(people, Reason.RESOLVED), act.thread_id)

    def _set_state(self, thread_id: str, state: str) -> None:
        who = note_contributor(self.connection, self.actor.who)
        self._update(_SET, thread_id, new_state=state, new_changed_by=who, new_changed_at=self.now)
        self.deeds.append((Kind.RESOLVE if state == "resolved" else Kind.REOPEN, {"thread": thread_id}))

    def _settle(self, act: Settle) -> None:
        accepted = act.accepted
        reason = Reason.SUGGESTION_ACCEPTED if accepted else Reason.SUGGESTION_REJECTED
        kind = Kind.SUGGESTION_ACCEPTED if accepted else Kind.SUGGESTION_REJECTED
        who = self.actor.who
        about_it = {"author": act.author, "suggestion_id": act.suggestion_id}
        told = put_outcome(self.connection, self.key, who, self.now, **about_it, reason=reason)
        self.inboxes |= told
        about = fetch(self.connection, _ABOUT, of_document=self.key, suggestion=act.suggestion_id)
        for (thread_id,) in about:
            self.raised = False  # each thread has a version of its own
            self._set_state(thread_id, "resolved")
        if told or about:
            self.deeds.append((kind, {"suggestion": act.suggestion_id, "user_id": act.author}))

    # Deleting.

    def _delete_thread(self, thread_id: str) -> None:
        there = self._look(thread_id)
        if there is None:
            raise _no_such_thread()
        if there.state == GONE:
            return
        me = self.actor.who.user_id
        if not may(self.actor.role, Action.MODERATE):
            said = fetch(self.connection, _SAID_BY, of_document=self.key, of_thread=thread_id)
            if there.author_id != me:
                raise forbidden(self.actor.role, Action.MODERATE)
            if any(author_id != me and deleted_at is None for author_id, deleted_at in said):
                message = "Others have replied in this thread. Only the owner of the document may delete it."
                raise ProtocolError(Code.FORBIDDEN, message)
        self._empty(thread_id)
        self.deeds.append((Kind.DELETE_THREAD, {"thread": thread_id}))

    def _delete_comment(self, thread_id: str, comment_id: str) -> None:
        there = self._look(thread_id)
        if there is None:
            raise _no_such_thread()
        of = {"of_document": self.key, "of_thread": thread_id}
        found = fetch(self.connection, _COMMENT, **of, of_comment=comment_id)
        if not found and there.state != GONE:
            raise ProtocolError(Code.NOT_FOUND, "There is no such comment.")
        if not found or found[0][1] is not None:
            return
        ((author_id, _, body),) = found
        if author_id != self.actor.who.user_id and not may(self.actor.role, Action.MODERATE):
            raise forbidden(self.actor.role, Action.MODERATE)
        self.deeds.append((Kind.DELETE_COMMENT, {"thread": thread_id, "comment": comment_id}))
        living = [deleted_at for _, deleted_at in fetch(self.connection, _SAID_BY, **of) if deleted_at is None]
        if len(living) == 1:
            self._empty(thread_id)
            return
        change(self.connection, _BLANK, **of, of_comment=comment_id, now=self.now)
        dropped = change(self.connection, _DROP_BESIDE, **of, of_comment=comment_id)
        self.inboxes |= take_entries(self.connection, self.key, thread_id, comment_id)
        self._touch(thread_id, -len(body.encode()) - REACTION_BYTES * dropped)

    def _empty(self, thread_id: str) -> None:
        """Leave of a thread nothing but its id, and forget it later."""
        of = {"of_document": self.key, "of_thread": thread_id}
        for statement in (_DROP_REACTIONS, _DROP_COMMENTS):
            change(self.connection, statement, **of)
        self.inboxes |= take_entries(self.connection, self.key, thread_id, None)
        self._update(_EMPTY, thread_id)
        for (floor,) in fetch(self.connection, _OVER_GONE, of_document=self.key, most=KEPT_GONE):
            change(self.connection, _FORGET_GONE, of_document=self.key, floor=floor)
            change(self.connection, _SINK_FLOOR, of_document=self.key, floor=floor)

    # Reactions.

    def _react(self, act: React) -> None:
        self._living_thread(act.thread_id)
        of = {"of_document": self.key, "of_thread": act.thread_id, "of_comment": act.comment_id}
        found = fetch(self.connection, _COMMENT, **of)
        if not found or found[0][1] is not None:
            raise ProtocolError(Code.NOT_FOUND, "There is no such comment, or it was deleted.")
        me, details = self.actor.who.user_id, {"thread": act.thread_id, "comment": act.comment_id, "emoji": act.emoji}
        if not act.on:
            if change(self.connection, _TAKE_BACK, **of, of_emoji=act.emoji, of_user=me):
                self._touch(act.thread_id, -REACTION_BYTES)
                self.deeds.append((Kind.REACT, {**details, "taken": "back"}))
            return
        present = [emoji for (emoji,) in fetch(self.connection, _ALL_BESIDE, **of)]
        is_new = act.emoji not in present and len(set(present)) >= MAX_EMOJI
        row = {"document_key": self.key, "thread_id": act.thread_id, "comment_id": act.comment_id, "emoji": act.emoji}
        person = note_contributor(self.connection, self.actor.who)
        added = unless_there(self.connection.dialect.name, reactions)
        if change(self.connection, added, **row, user_id=me, person=person, at=self.now):
            if is_new or len(present) >= MAX_REACTIONS:
                message = f"A comment may have {MAX_EMOJI} different emoji, and {MAX_REACTIONS} reactions."
                raise ProtocolError(Code.DOCUMENT_FULL, message)
            self._check_share(len(present) + 1, MAX_REACTIONS)
            if act.emoji not in present:
                self._check_share(len(set(present)) + 1, MAX_EMOJI)
            ((_, size),) = fetch(self.connection, _TOTAL, of_document=self.key)
            self._check_bytes(size + REACTION_BYTES)
            self._touch(act.thread_id, REACTION_BYTES)
            self.deeds.append((Kind.REACT, details))

    # What acts have in common.

    def _check_share(self, held: int, most: int, of_actor: Any = None) -> None:
        """Raise document_full where this would take what is kept for people who may edit.

        Of anything that is half full, one person among the others may have one part in `OWN_PART`.
        `of_actor` asks how much the actor has.
        """
        if self.actor.role.may_write:
            return
        if held > share_of(most, self.actor.role):
            message = "This is so full that only people who may edit can add to it. Delete something of yours, or ask one of them to."
            raise ProtocolError(Code.DOCUMENT_FULL, message)
        if of_actor is None or 2 * held <= most:
            return
        ((mine,),) = fetch(self.connection, of_actor, of_document=self.key, of_user=self.actor.who.user_id)
        if mine >= most // OWN_PART:
            message = "So much of this discussion is yours that there would be too little room for others. Delete some of it first."
            raise ProtocolError(Code.DOCUMENT_FULL, message)

    def _look(self, thread_id: str) -> _Thread | None:
        for found in fetch(self.connection, _ONE, of_document=self.key, of_thread=thread_id):
            state, author_id, assignee_id, quote, _, _, before, after = found
            return _Thread(state, author_id, assignee_id, Quote(quote, before, after))
        return None

    def _living_thread(self, thread_id: str) -> _Thread:
        there = self._look(thread_id)
        if there is None:
            raise _no_such_thread()
        if there.state == GONE:
            raise ProtocolError(Code.DELETED, "This thread was deleted.")
        return there

    def _check_own(self, there: _Thread, action: Action) -> None:
        """Check that the thread is the actor's own, or the role includes this. Raises forbidden."""
        if there.author_id != self.actor.who.user_id and not may(self.actor.role, action):
            raise forbidden(self.actor.role, action)

    def _participants(self, thread_id: str, there: _Thread) -> set[str]:
        said = fetch(self.connection, _SAID_BY, of_document=self.key, of_thread=thread_id)
        people = {author_id for author_id, deleted_at in said if deleted_at is None}
        people.add(there.author_id)
        return people if there.assignee_id is None else people | {there.assignee_id}

    def _tell(self, reasons: Mapping[str, Reason], thread_id: str, comment_id: str = "") -> None:
        who = self.actor.who
        self.inboxes |= put_entries(
            self.connection, self.key, who, self.now, reasons, about=(thread_id, comment_id, "")
        )

    def _touch(self, thread_id: str, more: int) -> None:
        self._update(_TOUCH, thread_id, more=more)

    def _update(self, statement: Any, thread_id: str, **given: Any) -> None:
        of = {"of_document": self.key, "of_thread": thread_id}
        change(self.connection, statement, **of, **given, new_version=self._raise())

    def _raise(self) -> int:
        """Return the version of this act, which is the next one."""
        if not self.raised:
            self.raised = True
            self.version += 1
        return self.version


def _mentions_of(body: str) -> set[str]:
    """Return whom a stored body mentions."""
    pieces = [piece for paragraph in json.loads(body) for piece in paragraph.get("content", ())]
    return {piece["attrs"]["id"] for piece in pieces if piece["type"] == "mention"}


@cache
def _written_by(dialect: str) -> Select[tuple[int]]:
    """Return what asks for the bytes of a person's comments. SQLite counts bytes of blobs alone."""
    body = comments.c.body
    size = func.octet_length(body) if dialect == "postgresql" else func.length(cast(body, LargeBinary))
    return select(func.coalesce(func.sum(size), 0)).where(
        comments.c.document_key == bindparam("of_document"), comments.c.author_id == bindparam("of_user")
    )


def _no_such_thread() -> ProtocolError:
    return ProtocolError(Code.NOT_FOUND, "There is no such thread.")
