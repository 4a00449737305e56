"""Access control: derives roles from grants, links and tokens, and carries out changes to them.

Absent and forbidden documents are refused alike. A person's role is the strongest of three: the one
in their own token, the one they were granted, and the one that the link gives. The link counts for
people who show it now, or who have visited the document by it before. A visit is stored for people
who will be known again, and puts the document in their list.

A document without an owner is older than ownership, or was made by a program that keeps no cookie.
Where guests are let in, such a document belongs to everybody who may change it. The first of them
to share the document becomes its owner.
"""

import asyncio
import hashlib
import hmac
from collections.abc import Awaitable, Callable, Collection, Hashable, Iterable, Mapping
from contextlib import suppress
from typing import Generic, TypeVar

from msgspec import Struct, field
from msgspec.structs import replace

from crdt.errors import Code, ProtocolError, Unavailable
from crdt.ids import DocumentId
from crdt.permissions import Action, Role, forbidden, may, strongest
from crdt.protocol.messages import User
from server.auth.base import EVERY_DOCUMENT, Identity, may_create
from server.observe import log
from server.store.base import Store, Whose
from server.store.deeds_base import Done
from server.store.sharing_base import INVITED, KnownUser, Link, Standing
from server.store.users import shown as stranger

NOBODYS = b""
"""Hash of a token that nobody has."""

REMEMBERED = 10_000
"""People whose stored names this node remembers. Past this number it reads them again."""


class NotPossible(ProtocolError):
    """A sound and permitted request, which the document's present state does not allow."""

    def __init__(self, message: str) -> None:
        super().__init__(Code.FORBIDDEN, message)


def no_such_document() -> ProtocolError:
    """Return the one refusal of absent documents, forbidden documents and ill-formed ids."""
    return ProtocolError(Code.NOT_FOUND, "There is no such document, or it is not for you.")


class Ruling(Struct, frozen=True):
    """A person's role in a document, the version of the access list that it is from, and the owner.

    `anybody` is the role that the address alone gives to everybody. It is None if the address gives
    nothing, or if that was not looked at.
    """

    role: Role
    version: int
    owner: User | None = None
    anybody: Role | None = None


class Access:
    """Rulings over the store.

    `guests`: everybody is let in, and a document without an owner belongs to all who may change it.
    """

    def __init__(self, store: Store, *, guests: bool) -> None:
        self._sharing = store.sharing
        self._users = store.users
        self._guests = guests
        self._remembered: dict[str, KnownUser] = {}
        self._told: list[Callable[[Done], None]] = []
        self._standings = Questions(self._ask_standings)
        self._known = Questions(self._users.known)

    # Asking.

    async def require(
        self, identity: Identity, document_id: DocumentId, action: Action, link: str | None = None
    ) -> Ruling:
        """Raise ProtocolError (not_found, forbidden) unless somebody may do this."""
        ruling = await self.ruling(identity, document_id, link)
        if not may(ruling.role, action):
            raise forbidden(ruling.role, action)
        return ruling

    async def ruling(self, identity: Identity, document_id: DocumentId, link: str | None) -> Ruling:
        """Return what a person may do, and store their visit if they came by the link.

        Raises ProtocolError(not_found) if they may do nothing, and Unavailable.
        """
        standing = (await self._standings.ask((document_id, _names(identity)))).get(document_id)
        ruling = None if standing is None else self.rule(standing, document_id, identity, link)
        if standing is None or ruling is None:
            raise no_such_document()
        if identity.lasting:
            await self._note(standing, document_id, identity, link)
        return ruling

    async def rulings(self, identity: Identity, document_ids: Collection[DocumentId]) -> Mapping[DocumentId, Ruling]:
        """Return what a person may do in documents of their list.

        Documents in which they may do nothing any more are left out.
        """
        found: dict[DocumentId, Ruling] = {}
        for document_id, standing in (await self.standings(document_ids, [identity])).items():
            ruling = self.rule(standing, document_id, identity, None)
            if ruling is not None:
                found[document_id] = ruling
        return found

    async def people_of(
        self, document_id: DocumentId, user_ids: Collection[str], *, anybody: bool = True
    ) -> Mapping[str, tuple[User, Role]]:
        """Return those of these people who may open a document, and by which role.

        `anybody`: also those who have not been here yet, if the address lets everybody in. A person
        whom only a token lets in is not known to have access while they are away.
        """
        known = await self._users.known(user_ids) if user_ids else {}
        identities = [Identity(each.user, "guest", each.email) for each in known.values()]
        names = {*user_ids, *(name for identity in identities for name in _names(identity))}
        standing = (await self._sharing.access([document_id], names)).get(document_id)
        if standing is None:
            return {}
        if not anybody:
            standing = replace(standing, link=replace(standing.link, token_hash=NOBODYS))
        granted = {user_id: role for user_id, role in standing.grants.items() if user_id in user_ids}
        found = {user_id: (stranger(user_id), role) for user_id, role in granted.items()}
        for identity in identities:
            if (ruling := self.rule(standing, document_id, identity, None)) is not None:
                found[identity.user.user_id] = identity.user, ruling.role
        return found

    def list_of(self, identity: Identity, *, shared: bool | None) -> Whose | None:
        """Return whose list a person is shown: their own, or None for every document.

        A token that opens every document shows every document, unless `shared` filters the list.
        """
        if EVERY_DOCUMENT in identity.document_roles and shared is None:
            return None
        return Whose(identity.user.user_id, shared, with_ownerless=self._guests)

    async def standings(
        self, document_ids: Iterable[DocumentId], identities: Iterable[Identity]
    ) -> Mapping[DocumentId, Standing]:
        """Read these people's access to these documents, in one question to the store."""
        names = {name for identity in identities for name in _names(identity)}
        return await self._sharing.access(tuple(document_ids), names)

    async def _ask_standings(
        self, asked: Collection[tuple[DocumentId, tuple[str, ...]]]
    ) -> Mapping[DocumentId, Standing]:
        document_ids = {document_id for document_id, _ in asked}
        return await self._sharing.access(document_ids, {name for _, names in asked for name in names})

    def rule(self, standing: Standing, document_id: DocumentId, identity: Identity, link: str | None) -> Ruling | None:
        """Derive a person's role from what is stored. Return None if they may do nothing at all."""
        said = identity.document_roles
        visited = standing.link.role is not None and identity.user.user_id in standing.visitors
        role = strongest(
            said.get(document_id),
            said.get(EVERY_DOCUMENT),
            _granted(standing, identity),
            standing.link.role if visited or opens(standing.link, link) else None,
        )
        role = self._or_owner(standing, role)
        return None if role is None else Ruling(role, standing.version, standing.owner, self._anybody(standing))

    def _anybody(self, standing: Standing) -> Role | None:
        return self._or_owner(standing, standing.link.role if opens(standing.link, None) else None)

    def _or_owner(self, standing: Standing, role: Role | None) -> Role | None:
        ownerless = self._guests and standing.owner is None
        return Role.OWNER if ownerless and may(role, Action.WRITE) else role

    async def _note(self, standing: Standing, document_id: DocumentId, identity: Identity, link: str | None) -> None:
        """Store a visit, a name, and an invitation that was followed.

        Nobody is refused because the store cannot be reached for this: the log says so instead.
        """
        user_id, granted = identity.user.user_id, _granted(standing, identity)
        try:
            if identity.email is not None and INVITED + identity.email in standing.grants:
                await self.redeem(identity)
            came = granted is None and opens(standing.link, link)
            if came and user_id not in standing.visitors:
                await self._sharing.visit(document_id, user_id)
            if came or granted is not None:
                await self.remember(identity)
        except Unavailable as error:
            log.warning("visit_not_remembered", document=document_id, reason=str(error))

    # People.

    async def remember(self, identity: Identity) -> None:
        """Store a person's name, if they will be known again and the name has changed.

        After a restart everybody comes back at once, mostly under the name that is stored. The
        stored names are therefore read before anything is written.
        """
        known = KnownUser(identity.user, identity.kind, identity.email)
        user_id = identity.user.user_id
        if not identity.lasting or self._remembered.get(user_id) == known:
            return
        if (await self._known.ask(user_id)).get(user_id) != known:
            await self._users.remember(known)
        if len(self._remembered) >= REMEMBERED:
            self._remembered.clear()
        self._remembered[user_id] = known

    async def welcome(self, identity: Identity) -> None:
        """Store a person who has just signed in, and grant what they were invited to."""
        if identity.lasting:
            await self._users.remember(KnownUser(identity.user, identity.kind, identity.email))
        await self.redeem(identity)

    async def owned(self, identity: Identity) -> int:
        """Count the documents that a person owns."""
        return await self._users.owned(identity.user.user_id) if identity.lasting else 0

    async def may_make(self, identity: Identity, most_owned: int) -> str | None:
        """Return who will own a document that a person makes; None for nobody.

        Raises ProtocolError (forbidden, too_many) if the person may not make one, and Unavailable.
        """
        if not may_create(identity):
            raise ProtocolError(Code.FORBIDDEN, "Your token is for certain documents. You may not make others.")
        if await self.owned(identity) >= most_owned:
            message = f"You own {most_owned} documents, as many as one person may. Delete some for ever first."
            raise ProtocolError(Code.TOO_MANY, message)
        await self.remember(identity)
        return identity.user.user_id if identity.lasting else None

    async def redeem(self, identity: Identity) -> None:
        """Grant a person what their verified e-mail address was invited to."""
        if identity.email is None:
            return
        for done in await self._sharing.redeem(INVITED + identity.email, identity.user.user_id):
            self.tell(done)

    # Changing.

    def on_deed(self, told: Callable[[Done], None]) -> None:
        """Call `told` after each change of a document's access. It must not block or raise."""
        self._told.append(told)

    async def change(self, identity: Identity, act: Callable[[], Awaitable[Done | None]]) -> bool:
        """Carry out a permitted change, and tell everybody who has the document open.

        Return False if there was nothing to change. Raises ProtocolError(not_found) if the document
        is gone.
        """
        await self.remember(identity)
        done = await act()
        if done is None:
            raise no_such_document()
        self.tell(done)
        return done.deed is not None

    def tell(self, done: Done) -> None:
        """Tell everybody who has the document open what has been done."""
        for told in self._told:
            told(done)


def _names(identity: Identity) -> tuple[str, ...]:
    """Return the ids by which grants may name a person.

    A user id that looks like an invitation never counts, because it would open what another person
    was invited to.
    """
    user_id = identity.user.user_id
    names = () if user_id.startswith(INVITED) else (user_id,)
    return names if identity.email is None else (*names, INVITED + identity.email)


def _granted(standing: Standing, identity: Identity) -> Role | None:
    return strongest(*(standing.grants.get(name) for name in _names(identity)))


# Links. The database holds only a token's hash, so nobody can open a document by reading it.


def hash_token(token: str) -> bytes:
    """Return the part of a token that is stored."""
    return hashlib.sha256(token.encode(errors="surrogatepass")).digest()


def opens(link: Link, token: str | None) -> bool:
    """Whether the link lets in a person who shows this token, or none."""
    if link.role is None:
        return False
    if link.token_hash is None:
        return True
    return token is not None and hmac.compare_digest(hash_token(token), link.token_hash)


Q = TypeVar("Q", bound=Hashable)
A = TypeVar("A")

MOMENT = 0.02
"""Seconds from an answer to several askers until the next question.

Each question costs a thread's turn or a round trip, for one asker as for hundreds. A crowd comes
faster than that, and is not let in later for it.
"""

TOGETHER = 500
"""Most askers of one question, because databases bound the length of a statement."""


class Questions(Generic[Q, A]):
    """Questions that many tasks ask at once, asked together and one at a time.

    Each asker gets the whole answer of `ask`. After a restart, for example, everybody asks the
    same. A task that asks while a question is under way joins the next one. So every answer was
    read after its asker came: nothing is cached. After a question of several askers, more are
    likely to follow, so the next question waits for them a moment.
    """

    def __init__(self, ask: Callable[[Collection[Q]], Awaitable[A]]) -> None:
        self._ask = ask
        self._next: _Round[Q, A] | None = None
        self._one_at_a_time = asyncio.Lock()
        self._not_before = 0.0

    async def ask(self, question: Q) -> A:
        """Join the next question, and wait for its answer. Raises what the store raises."""
        while True:
            round_ = self._next
            if round_ is None or len(round_.questions) >= TOGETHER:
                return await self._lead(question)
            round_.questions.append(question)
            with suppress(_NotAskedError):
                return await asyncio.shield(round_.answer)

    async def _lead(self, question: Q) -> A:
        """Ask for everybody who joins until the question before has been answered."""
        round_ = self._next = _Round[Q, A]([question])
        try:
            async with self._one_at_a_time:
                answer = await self._ask_for(round_)
            round_.answer.set_result(answer)
            return answer
        except Exception as error:
            round_.answer.set_exception(error)
            round_.answer.exception()  # perhaps nobody else has asked
            raise
        finally:
            self._close(round_)
            if not round_.answer.done():
                round_.answer.set_exception(_NotAskedError())
                round_.answer.exception()  # perhaps nobody has joined

    async def _ask_for(self, round_: "_Round[Q, A]") -> A:
        loop = asyncio.get_running_loop()
        seconds = self._not_before - loop.time()
        if seconds > 0:
            await asyncio.sleep(seconds)
        self._close(round_)
        answer = await self._ask(round_.questions)
        if len(round_.questions) > 1:
            self._not_before = loop.time() + MOMENT
        return answer

    def _close(self, round_: "_Round[Q, A]") -> None:
        if self._next is round_:
            self._next = None


class _NotAskedError(Exception):
    """The task that was to ask was cancelled."""


class _Round(Struct, Generic[Q, A]):
    """One question. Its answer is an error of its own if the question was never asked."""

    questions: list[Q]
    answer: "asyncio.Future[A]" = field(default_factory=lambda: asyncio.get_running_loop().create_future())
