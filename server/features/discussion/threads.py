"""Threads in the REST API: read, begin, answer, resolve, delete."""

import re
import unicodedata
from collections.abc import Callable, Collection
from datetime import datetime

import msgspec
from msgspec import UNSET

from crdt.budget import Rate
from crdt.errors import Code, ProtocolError, Unavailable
from crdt.ids import DocumentId
from crdt.permissions import Action, may
from crdt.protocol.messages import User
from crdt.protocol.row import Contributor
from server.features.discussion.bodies import (
    Paragraph,
    clean_body,
    cleaned,
    decode_body,
    mentions_of,
    name_mentions,
)
from server.features.discussion.forms import (
    UUID_FORM,
    Author,
    Comment,
    CommentText,
    DiscussionRule,
    KnownAuthor,
    Mentionable,
    Named,
    NewThread,
    Outcome,
    Reaction,
    Since,
    Thread,
    ThreadChange,
    Threads,
)
from server.http.middleware import Shares
from server.http.operation import Asked, operation
from server.people.access import Access, NotPossible, no_such_document
from server.store.base import Store
from server.store.threads_base import (
    KEEP,
    Act,
    Acted,
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
    StoredComment,
    StoredThread,
)

_OF_DOCUMENT = "/api/documents/{document_id}"
_THREAD = _OF_DOCUMENT + "/threads/{thread_id}"
_COMMENT = _THREAD + "/comments/{comment_id}"
_REACTION = _COMMENT + "/reactions/{emoji}"

SHOWN_PEOPLE = 20
"""People who are found at once for a mention."""

JUDGED_AGAIN = 5
"""Times that an act is tried while the document's access changes under it."""

_UUID = re.compile(UUID_FORM)
_SUGGESTION = re.compile(r"[A-Za-z0-9_-]{1,64}")
_EMOJI_CHARACTERS = 16
_FLAG = "[\U0001f1e6-\U0001f1ff]{2}"
_ONE_SYMBOL = re.compile(
    rf"(?:{_FLAG}|[^\u200d\ufe0f\u20e3\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f])"
    r"(?:[\ufe0f\u20e3\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f]|\u200d.)*"
)
"""One flag or symbol, with what changes it, and what is joined to it."""

_JOINERS = frozenset("\u200d\ufe0f\u20e3#*0123456789")


class DiscussionApi:
    """The discussion of a document over HTTP.

    `rate` bounds how often one person may change a discussion. `clock` returns monotonic seconds.
    """

    def __init__(self, store: Store, access: Access, clock: Callable[[], float], rate: Rate = Rate(2, 200)) -> None:
        self._threads = store.threads
        self._sharing = store.sharing
        self._users = store.users
        self._shelf = store.shelf
        self._access = access
        self._shares = Shares(rate, clock)

    @operation(f"GET {_OF_DOCUMENT}/threads", needs=Action.COMMENT, asks=False)
    async def read_threads(self, asked: Asked, query: Since) -> Threads:
        """Read the threads that have changed since a version of the discussion.

        Viewers may read them if the owner says so.
        """
        role = (await self._access.require(asked.identity, asked.document_id, Action.READ)).role
        found = await self._threads.read(asked.document_id, query.since)
        if found is None:
            raise no_such_document()
        if not may(role, Action.COMMENT) and not found.viewers:
            raise ProtocolError(Code.FORBIDDEN, "You are a viewer of this document: you may not read its discussion.")
        threads = [_shown(thread) for thread in found.threads]
        return Threads(found.version, threads, list(found.gone), found.whole, found.more, found.viewers)

    @operation(f"PUT {_THREAD}", needs=Action.COMMENT, errors={409})
    async def begin_thread(self, asked: Asked, body: NewThread) -> Thread:
        """Begin a thread with its first comment. The client makes both ids.

        Doing so again changes nothing. An id that belongs to somebody else's thread is refused
        (409).
        """
        said = await self._said(asked, body.comment.body, [] if body.assignee is None else [body.assignee])
        quote = Quote(cleaned(body.quote), cleaned(body.before), cleaned(body.after))
        return await self._thread(
            asked, Begin(_uuid(asked, "thread_id"), body.comment.id, said, quote, body.suggestion or "", body.assignee)
        )

    @operation(f"PATCH {_THREAD}", needs=Action.COMMENT, errors={409})
    async def change_thread(self, asked: Asked, body: ThreadChange) -> Thread:
        """Resolve a thread, reopen it, assign it to somebody, or note where it stands now.

        Editors change every thread, and commenters their own.
        """
        if isinstance(body.assignee, str):
            await self._check_people(asked, [body.assignee])
        return await self._thread(
            asked,
            Change(
                _uuid(asked, "thread_id"),
                None if body.state is UNSET else body.state,
                KEEP if body.assignee is UNSET else body.assignee,
                None if body.quote is UNSET else Quote(*map(cleaned, (body.quote, body.before, body.after))),
            ),
        )

    @operation(f"DELETE {_THREAD}", needs=Action.COMMENT, errors={409})
    async def delete_thread(self, asked: Asked) -> None:
        """Delete a thread with all its comments.

        The owner deletes every thread. Others delete their own, unless somebody has replied (403).
        """
        await self._act(asked, Delete(_uuid(asked, "thread_id")))

    @operation(f"PUT {_COMMENT}", needs=Action.COMMENT, errors={409})
    async def put_comment(self, asked: Asked, body: CommentText) -> Thread:
        """Reply, or edit one's own comment. The client makes the id of a new comment.

        Doing so again changes nothing. A comment that was deleted stays so (404). A reply to a
        resolved thread reopens the thread.
        """
        said = await self._said(asked, body.body)
        return await self._thread(asked, Say(_uuid(asked, "thread_id"), _uuid(asked, "comment_id"), said))

    @operation(f"DELETE {_COMMENT}", needs=Action.COMMENT, errors={409})
    async def delete_comment(self, asked: Asked) -> None:
        """Delete a comment: one's own, or as the owner any.

        With its last comment a thread is deleted.
        """
        await self._act(asked, Delete(_uuid(asked, "thread_id"), _uuid(asked, "comment_id")))

    @operation(f"PUT {_REACTION}", needs=Action.COMMENT, errors={409})
    async def react(self, asked: Asked) -> Thread:
        """Put one's emoji beside a comment."""
        return await self._thread(asked, _reaction(asked, on=True))

    @operation(f"DELETE {_REACTION}", needs=Action.COMMENT, errors={409})
    async def take_reaction_back(self, asked: Asked) -> None:
        """Take one's emoji away from a comment."""
        await self._act(asked, _reaction(asked, on=False))

    @operation(f"GET {_OF_DOCUMENT}/discussion", needs=Action.READ)
    async def read_discussion_rule(self, asked: Asked) -> DiscussionRule:
        """Say whether viewers may read the discussion."""
        return DiscussionRule(await self._threads.open_to_viewers(asked.document_id))

    @operation(f"PUT {_OF_DOCUMENT}/discussion", needs=Action.SHARE, errors={409})
    async def set_discussion_rule(self, asked: Asked, body: DiscussionRule) -> None:
        """Let viewers read the discussion, or let them no longer."""
        await self._act(asked, Rule(body.viewers))

    @operation(f"GET {_OF_DOCUMENT}/mentionable", needs=Action.COMMENT)
    async def find_mentionable(self, asked: Asked, query: Named) -> Mentionable:
        """Find people whom a comment may mention.

        Editors find everybody who has access. Commenters find the owner and people who take part in
        the discussion, because they may not see who else has access.
        """
        people = await self._mentionable(asked)
        wanted, me = query.query.casefold(), asked.identity.user.user_id
        found = [each for each in people if wanted in each.name.casefold() and each.user_id != me]
        return Mentionable(found[:SHOWN_PEOPLE])

    @operation(f"GET {_OF_DOCUMENT}/authors/{{user_id}}", needs=Action.READ)
    async def name_author(self, asked: Asked) -> KnownAuthor:
        """Say what somebody is called whose id stands in the document, as in a suggestion.

        That is known of people who have access by name, or who have opened the document in a page.
        """
        return KnownAuthor(await self._known_here(asked.document_id, asked.request.path_params["user_id"]))

    async def _known_here(self, document_id: DocumentId, user_id: str) -> User | None:
        """Return who somebody is who has something to do with a document.

        An address that lets everybody in makes nobody known: ids can be guessed.
        """
        people = await self._access.people_of(document_id, [user_id], anybody=False)
        if user_id in people:
            return people[user_id][0]
        known = await self._users.known([user_id])
        has_been_here = bool(known) and await self._shelf.has_opened(document_id, user_id)
        return known[user_id].user if has_been_here else None

    @operation(f"POST {_OF_DOCUMENT}/suggestions/{{suggestion_id}}/outcome", needs=Action.WRITE, errors={409})
    async def tell_outcome(self, asked: Asked, body: Outcome) -> None:
        """Tell the author of a suggestion what became of it, and resolve its threads.

        The last outcome counts, and the same outcome is told once.
        """
        suggestion_id = asked.request.path_params["suggestion_id"]
        if _SUGGESTION.fullmatch(suggestion_id) is None:
            raise ProtocolError(Code.MALFORMED, "A suggestion's id is 1 to 64 letters, digits, `-` and `_`.")
        await self._act(asked, Settle(suggestion_id, cleaned(body.author), accepted=body.outcome == "accepted"))

    async def _thread(self, asked: Asked, act: Act) -> Thread:
        acted = await self._act(asked, act)
        if acted.thread is None:  # deleted by somebody else, and the act was a repetition
            raise ProtocolError(Code.DELETED, "This thread was deleted.")
        return _shown(acted.thread)

    async def _act(self, asked: Asked, act: Act) -> Acted:
        """Carry an act out, and tell everybody whom it concerns."""
        identity, document_id, ruling = asked.identity, asked.document_id, asked.ruling
        if not identity.lasting:
            raise NotPossible("To take part in a discussion, let the server set its cookie first.")
        if (seconds := self._shares.take(identity.user.user_id)) > 0:
            raise ProtocolError(Code.RATE_LIMITED, f"Too many comments in too short a time. Wait {seconds:.0f} s.")
        await self._access.remember(identity)
        kind = "person" if identity.agent_for is None else "agent"
        who = Contributor(identity.user.user_id, identity.user.name, kind, identity.agent_for or "")
        for _ in range(JUDGED_AGAIN):
            acted = await self._threads.act(document_id, Actor(who, ruling.role, ruling.version), act)
            if acted is None:
                raise no_such_document()
            if isinstance(acted, Acted):
                if acted.done.deed is not None:
                    self._access.tell(acted.done)
                return acted
            ruling = await self._access.require(identity, document_id, _right(act))
        raise Unavailable("The document's access changes all the time.")

    async def _said(self, asked: Asked, body: list[Paragraph], others: Collection[str] = ()) -> Said:
        """Clean a comment's body, and name the people whom it mentions.

        Raises ProtocolError (malformed, too_large, too_many; forbidden for people who may not open
        the document, also for `others`).
        """
        paragraphs = clean_body(body)
        mentions = mentions_of(paragraphs)
        if mentions or others:
            name_mentions(paragraphs, await self._check_people(asked, {*mentions, *others}))
        return Said(msgspec.json.encode(paragraphs).decode(), mentions)

    async def _check_people(self, asked: Asked, user_ids: Collection[str]) -> dict[str, str]:
        """Return how these people are called.

        Raises ProtocolError(forbidden) for people who may not open the document, or not read its
        discussion.
        """
        people = await self._access.people_of(asked.document_id, user_ids)
        strangers = sorted(set(user_ids) - people.keys())
        if strangers:
            name = await self._name_here(asked.document_id, strangers[0])
            message = f"{name} may not open this document. Share the document with them first."
            raise ProtocolError(Code.FORBIDDEN, message)
        viewers = sorted(user_id for user_id, (_, role) in people.items() if not may(role, Action.COMMENT))
        if viewers and not await self._threads.open_to_viewers(asked.document_id):
            name = await self._name_here(asked.document_id, viewers[0])
            message = f"{name} is a viewer, and viewers may not read this discussion. Let them comment first."
            raise ProtocolError(Code.FORBIDDEN, message)
        return {user_id: user.name for user_id, (user, _) in people.items()}

    async def _name_here(self, document_id: DocumentId, user_id: str) -> str:
        known = await self._known_here(document_id, user_id)
        return "Somebody" if known is None else known.name

    async def _mentionable(self, asked: Asked) -> list[User]:
        ruling = asked.ruling
        if may(ruling.role, Action.SEE_PEOPLE):
            return [person.user for person in await self._sharing.people(asked.document_id)]
        here = await self._access.people_of(asked.document_id, await self._threads.authors(asked.document_id))
        owner = {} if ruling.owner is None else {ruling.owner.user_id: ruling.owner}
        return list((owner | {user_id: user for user_id, (user, _) in here.items()}).values())


def _right(act: Act) -> Action:
    match act:
        case Rule():
            return Action.SHARE
        case Settle():
            return Action.WRITE
        case _:
            return Action.COMMENT


def _uuid(asked: Asked, name: str) -> str:
    value: str = asked.request.path_params[name]
    if _UUID.match(value) is None:
        raise ProtocolError(Code.MALFORMED, f"`{name}` must be a UUID in small letters.")
    return value


def _reaction(asked: Asked, *, on: bool) -> React:
    emoji: str = asked.request.path_params["emoji"]
    if not is_emoji(emoji):
        raise ProtocolError(Code.MALFORMED, "A reaction must be one emoji.")
    return React(_uuid(asked, "thread_id"), _uuid(asked, "comment_id"), emoji, on)


def is_emoji(text: str) -> bool:
    """Whether a text looks like one emoji: symbols, with what joins and changes them."""
    if not 0 < len(text) <= _EMOJI_CHARACTERS:
        return False
    if len(_ONE_SYMBOL.findall(text)) > 1:
        return False
    kinds = [unicodedata.category(each) for each in text]
    plain = [kind in ("So", "Sk") or each in _JOINERS or kind == "Cf" for each, kind in zip(text, kinds, strict=True)]
    return all(plain) and ("So" in kinds or "\u20e3" in text)


def _shown(thread: StoredThread) -> Thread:
    return Thread(
        thread.thread_id,
        "suggestion" if thread.suggestion_id else "comment",
        thread.suggestion_id or None,
        thread.quote.words,
        thread.quote.before,
        thread.quote.after,
        thread.state,
        shown_author(thread.by),
        thread.at.isoformat(),
        None if thread.changed_by is None else shown_author(thread.changed_by),
        _moment(thread.changed_at),
        thread.assignee,
        [_shown_comment(each) for each in thread.comments],
        thread.version,
    )


def _shown_comment(comment: StoredComment) -> Comment:
    beside: dict[str, list[Author]] = {}
    for each in comment.reactions:
        beside.setdefault(each.emoji, []).append(shown_author(each.by))
    return Comment(
        comment.comment_id,
        shown_author(comment.by),
        comment.at.isoformat(),
        _moment(comment.edited_at),
        decode_body(comment.body) if comment.body else [],
        [Reaction(emoji, people) for emoji, people in beside.items()],
        comment.deleted,
    )


def shown_author(who: Contributor) -> Author:
    """Return somebody as they are shown beside what they said."""
    return Author(who.user_id, who.name, who.kind)


def _moment(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()
