"""Threads in the REST API: read, begin, answer, resolve, delete."""

# ruff: noqa: ARG002

from crdt.errors import Code, ProtocolError
from crdt.permissions import Action
from server.features.discussion.forms import (
    CommentText,
    DiscussionRule,
    Mentionable,
    Named,
    NewThread,
    Outcome,
    Since,
    Thread,
    ThreadChange,
    Threads,
)
from server.http.operation import Asked, operation

_OF_DOCUMENT = "/api/documents/{document_id}"
_THREAD = _OF_DOCUMENT + "/threads/{thread_id}"
_COMMENT = _THREAD + "/comments/{comment_id}"
_REACTION = _COMMENT + "/reactions/{emoji}"


class DiscussionApi:
    """The discussion of a document over HTTP."""

    @operation(f"GET {_OF_DOCUMENT}/threads", needs=Action.COMMENT, asks=False)
    async def read_threads(self, asked: Asked, query: Since) -> Threads:
        """Read the threads that have changed since a version of the discussion.

        Viewers may read them if the owner says so.
        """
        raise _not_open()

    @operation(f"PUT {_THREAD}", needs=Action.COMMENT, errors={409})
    async def begin_thread(self, asked: Asked, body: NewThread) -> Thread:
        """Begin a thread with its first comment. The client makes both ids.

        Doing so again changes nothing. An id that belongs to somebody else's thread is refused
        (409).
        """
        raise _not_open()

    @operation(f"PATCH {_THREAD}", needs=Action.COMMENT, errors={409})
    async def change_thread(self, asked: Asked, body: ThreadChange) -> Thread:
        """Resolve a thread, reopen it, assign it to somebody, or note where it stands now.

        Editors change every thread, and commenters their own.
        """
        raise _not_open()

    @operation(f"DELETE {_THREAD}", needs=Action.COMMENT, errors={409})
    async def delete_thread(self, asked: Asked) -> None:
        """Delete a thread with all its comments.

        The owner deletes every thread. Others delete their own, unless somebody has replied (403).
        """
        raise _not_open()

    @operation(f"PUT {_COMMENT}", needs=Action.COMMENT, errors={409})
    async def put_comment(self, asked: Asked, body: CommentText) -> Thread:
        """Reply, or edit one's own comment. The client makes the id of a new comment.

        Doing so again changes nothing. A comment that was deleted stays so (404). A reply to a
        resolved thread reopens the thread.
        """
        raise _not_open()

    @operation(f"DELETE {_COMMENT}", needs=Action.COMMENT, errors={409})
    async def delete_comment(self, asked: Asked) -> None:
        """Delete a comment: one's own, or as the owner any.

        With its last comment a thread is deleted.
        """
        raise _not_open()

    @operation(f"PUT {_REACTION}", needs=Action.COMMENT, errors={409})
    async def react(self, asked: Asked) -> Thread:
        """Put one's emoji beside a comment."""
        raise _not_open()

    @operation(f"DELETE {_REACTION}", needs=Action.COMMENT, errors={409})
    async def take_reaction_back(self, asked: Asked) -> None:
        """Take one's emoji away from a comment."""
        raise _not_open()

    @operation(f"PUT {_OF_DOCUMENT}/discussion", needs=Action.SHARE)
    async def set_discussion_rule(self, asked: Asked, body: DiscussionRule) -> None:
        """Let viewers read the discussion, or let them no longer."""
        raise _not_open()

    @operation(f"GET {_OF_DOCUMENT}/mentionable", needs=Action.COMMENT)
    async def find_mentionable(self, asked: Asked, query: Named) -> Mentionable:
        """Find people whom a comment may mention.

        Editors find everybody who has access. Commenters find the owner and people who take part in
        the discussion, because they may not see who else has access.
        """
        raise _not_open()

    @operation(f"POST {_OF_DOCUMENT}/suggestions/{{suggestion_id}}/outcome", needs=Action.WRITE, errors={409})
    async def tell_outcome(self, asked: Asked, body: Outcome) -> None:
        """Tell the author of a suggestion what became of it, and resolve its threads.

        Only the first outcome of a suggestion is told.
        """
        raise _not_open()


def _not_open() -> ProtocolError:
    return ProtocolError(Code.FORBIDDEN, "Discussions are not open on this server yet.")
