"""JSON of the discussion: what pages send, and what they get."""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from crdt.protocol.messages import User
from server.features.discussion.bodies import MAX_USER_ID, Body, Paragraph
from server.http.documents import Time

MAX_QUOTE = 500
"""Most characters of a thread's quote."""

MAX_AROUND = 64
"""Most characters on each side of a quote."""

UUID_FORM = r"\A[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z"
UUID = Annotated[str, Meta(pattern=UUID_FORM)]

SuggestionId = Annotated[str, Meta(pattern=r"\A[A-Za-z0-9_-]{1,64}\Z")]
UserId = Annotated[str, Meta(min_length=1, max_length=MAX_USER_ID)]

_Short = Annotated[str, Meta(max_length=MAX_QUOTE)]
_BODY = "the body: a list of paragraphs in ProseMirror's JSON"
_Quote = Annotated[str, Meta(max_length=MAX_QUOTE, description=f"a text of at most {MAX_QUOTE} characters")]
_Around = Annotated[str, Meta(max_length=MAX_AROUND, description=f"a text of at most {MAX_AROUND} characters")]

Kind = Literal["comment", "suggestion"]
State = Literal["open", "resolved"]


class Author(Struct):
    """A person or program, by the name that they had then. `kind` is person or agent."""

    user_id: str
    name: str
    kind: str


class Reaction(Struct):
    """An emoji beside a comment, and who put it there, the first one first."""

    emoji: str
    people: list[Author]


class Comment(Struct):
    """A comment. `edited_at` is null if nobody edited it.

    Of a deleted comment, `body` and `reactions` are empty.
    """

    id: str
    by: Author
    at: Time
    edited_at: Time | None
    body: list[Paragraph]
    reactions: list[Reaction]
    deleted: bool


class Thread(Struct):
    """A thread: a place in the text, or a suggestion, and what was said about it.

    `comments` begin with the first one. The mark `comment` with the thread's id is the place.
    `quote` is the words that were marked, with the words `before` and `after`, for when the mark is
    gone. `version` is the version of the discussion at the thread's last change. `changed_by` and
    `changed_at` say who resolved or reopened the thread last. They are null if nobody did.
    """

    id: str
    kind: Kind
    suggestion: str | None
    quote: str
    before: str
    after: str
    state: State
    by: Author
    at: Time
    changed_by: Author | None
    changed_at: Time | None
    assignee: User | None
    comments: list[Comment]
    version: int


class Threads(Struct):
    """Threads that have changed since a version, in the order of their last change.

    `version` is what to ask from the next time. With `more`, ask at once, because the answer ends
    there. With `whole`, the answer begins anew: threads from earlier answers that are not in it are
    gone. Otherwise `gone` names those that were deleted. `viewers` says whether viewers may read
    the discussion.
    """

    version: int
    threads: list[Thread]
    gone: list[str]
    whole: bool
    more: bool
    viewers: bool


class Since(Struct, forbid_unknown_fields=True):
    """The version of the discussion that is known."""

    since: Annotated[
        int,
        Meta(ge=-(2**53), le=2**53, description="the version of the last answer, to get what changed; 0: everything"),
    ] = 0


class FirstComment(Struct, forbid_unknown_fields=True):
    """The comment with which a thread begins."""

    id: Annotated[UUID, Meta(description="a UUID in small letters")]
    body: Annotated[Body, Meta(description=_BODY)]


class NewThread(Struct, forbid_unknown_fields=True):
    """A thread to begin. A thread of kind `suggestion` names its suggestion."""

    comment: Annotated[FirstComment, Meta(description="the first comment: its `id` and `body`")]
    kind: Annotated[Kind, Meta(description="comment or suggestion")] = "comment"
    suggestion: Annotated[SuggestionId | None, Meta(description="the suggestion's id, or null")] = None
    quote: _Quote = ""
    before: _Around = ""
    after: _Around = ""
    assignee: Annotated[UserId | None, Meta(description="a person's id, or null")] = None

    def __post_init__(self) -> None:
        if (self.kind == "suggestion") is (self.suggestion is None):
            raise ValueError("A thread of kind `suggestion`, and no other one, names its `suggestion`.")


class ThreadChange(Struct, forbid_unknown_fields=True):
    """A change of a thread. What is absent stays. A quote comes with `before` and `after`."""

    state: Annotated[State | UnsetType, Meta(description="open or resolved")] = UNSET
    assignee: Annotated[UserId | UnsetType | None, Meta(description="a person's id, or null for nobody")] = UNSET
    quote: Annotated[_Short | UnsetType, Meta(description=f"a text of at most {MAX_QUOTE} characters")] = UNSET
    before: _Around = ""
    after: _Around = ""


class CommentText(Struct, forbid_unknown_fields=True):
    """What a comment says."""

    body: Annotated[Body, Meta(description=_BODY)]


class DiscussionRule(Struct, forbid_unknown_fields=True):
    """The rule of who may read the discussion."""

    viewers: Annotated[bool, Meta(description="true or false: whether viewers may read the discussion")]


class Outcome(Struct, forbid_unknown_fields=True):
    """What became of a suggestion."""

    outcome: Annotated[Literal["accepted", "rejected"], Meta(description="accepted or rejected")]
    author: Annotated[UserId, Meta(description="the id of the person whose suggestion it was")]


class Named(Struct, forbid_unknown_fields=True):
    """The people to find."""

    query: Annotated[str, Meta(description="a part of a name, in any case")] = ""


class KnownAuthor(Struct):
    """Somebody whose id stands in a document; `person` is null if nobody is known by the id."""

    person: User | None


class Mentionable(Struct):
    """People whom a comment may mention, by name. There are at most 20."""

    people: list[User]


Reason = Literal["mention", "reply", "assigned", "resolved", "suggestion_accepted", "suggestion_rejected", "shared"]


class InboxEntry(Struct):
    """One thing that concerns a person, and where it happened.

    `comment` and `excerpt` are of the comment that it is about: its id, and how it begins.
    `thread`, `comment` and `suggestion` are null where there is none.
    """

    id: str
    reason: Reason
    by: Author
    at: Time
    read: bool
    document_id: str
    title: str
    thread: str | None
    comment: str | None
    suggestion: str | None
    excerpt: str


class InboxQuery(Struct, forbid_unknown_fields=True):
    """The part of the inbox to see."""

    limit: Annotated[int, Meta(ge=1, le=100, description="a whole number from 1 to 100: how many at once")] = 30
    cursor: Annotated[str, Meta(max_length=40, description="the cursor of the page before, for the next page")] = ""


class Inbox(Struct):
    """A page of the inbox: what is unread first, then by time, the newest first.

    `cursor` is null on the last page.
    `unread` counts everything that is unread, on any page. `mail` says whether this person gets
    what stays unread by e-mail. It is null if the server sends none, or knows no address.
    """

    entries: list[InboxEntry]
    unread: int
    cursor: str | None
    mail: bool | None


class Unread(Struct):
    """The number of unread entries in the inbox.

    `language` is the one in which this person gets mail: empty while nobody has said. It is null if
    the server sends no mail, or knows no address.
    """

    unread: int
    language: str | None


_Language = Annotated[str, Meta(pattern="^[a-z]{2,3}$")]
_Ids = Annotated[list[str], Meta(max_length=200)]


class InboxChange(Struct, forbid_unknown_fields=True):
    """A change of the inbox: which entries to mark as read; whether and how to send mail.

    `ids` names entries. `thread` stands for all entries about one thread of `document_id`. `until`
    stands for an entry and all older ones.
    """

    ids: Annotated[_Ids | UnsetType, Meta(description="a list of at most 200 ids of entries")] = UNSET
    until: Annotated[str | UnsetType, Meta(description="the id of an entry")] = UNSET
    document_id: Annotated[str | UnsetType, Meta(description="a document's id")] = UNSET
    thread: Annotated[UUID | UnsetType, Meta(description="the id of a thread")] = UNSET
    mail: Annotated[bool | UnsetType, Meta(description="true or false: whether to get mail")] = UNSET
    language: Annotated[_Language | UnsetType, Meta(description="the language of mail, e.g. `de`")] = UNSET

    def __post_init__(self) -> None:
        if (self.document_id is UNSET) is not (self.thread is UNSET):
            raise ValueError("`document_id` and `thread` come together.")
