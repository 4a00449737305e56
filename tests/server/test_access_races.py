"""Access that changes at the worst moment: while somebody joins, while the store is away, or without anybody hearing of it."""

import asyncio

import pytest
from msgspec.structs import replace

from crdt.errors import Code, ProtocolError, Unavailable
from crdt.ids import ClientId, DocumentId
from crdt.permissions import Role
from crdt.protocol.hints import AccessHint
from crdt.protocol.messages import JoinRequest, User
from server.auth.base import Identity
from server.people.access import hash_token
from server.store.base import Loaded
from server.store.sharing_base import Link
from tests.harness.access_house import comes, house, restrict, said_to
from tests.harness.house import ANNA, DOCUMENT
from tests.simulation.virtual_loop import run_virtually

POLL = 5.0
SOON = 2 * POLL
ANNA_IS = "u1"
"""The user id of everybody who joins in a House."""


def test_a_lost_hint_is_made_up_for_by_the_poll() -> None:
    async def story() -> None:
        node, sharing = house(poll_seconds=POLL)
        async with node:
            await node.join("a")
            await sharing.set_link(DOCUMENT, Link(Role.VIEWER))
            await asyncio.sleep(SOON)
            assert said_to(node, "a") == [Role.VIEWER]
            await restrict(sharing)
            await asyncio.sleep(SOON)
            assert said_to(node, "a") == [Role.VIEWER, Code.FORBIDDEN]

    run_virtually(story())


def test_the_poll_tells_nobody_what_they_know() -> None:
    async def story() -> None:
        node, sharing = house(poll_seconds=POLL)
        async with node:
            await node.join("a")
            done = await sharing.grant(DOCUMENT, "somebody", Role.VIEWER)
            assert done is not None
            node.rooms.tell(done)
            await asyncio.sleep(5 * POLL)
            assert said_to(node, "a") == []

    run_virtually(story())


@pytest.mark.parametrize("hinted", [True, False], ids=["hinted at", "lost hint"])
def test_access_that_ends_while_the_document_is_read_lets_nobody_in(hinted: bool) -> None:
    async def story() -> None:
        node, sharing = house()
        async with node:
            reading, go_on = asyncio.Event(), asyncio.Event()
            load = node.faulty.log.load

            async def slow(document_id: DocumentId) -> Loaded | None:
                reading.set()
                await go_on.wait()
                return await load(document_id)

            node.faulty.log.load = slow  # type: ignore[method-assign]
            joining = asyncio.ensure_future(node.join("a"))
            await reading.wait()
            done = await restrict(sharing)
            if hinted:
                node.rooms.tell(done)
            go_on.set()
            with pytest.raises(ProtocolError) as refused:
                await joining
            assert refused.value.code is Code.NOT_FOUND

    run_virtually(story())


def test_access_that_ends_while_its_answer_is_under_way_lets_nobody_in() -> None:
    async def story() -> None:
        node, sharing = house()
        async with node:
            await node.join("here")
            sharing.answering = asyncio.Event()
            joining = asyncio.ensure_future(node.join("late"))
            await asyncio.sleep(0)
            done = await restrict(sharing)
            node.rooms.tell(done)
            sharing.answering.set()
            with pytest.raises(ProtocolError):
                await joining
            await asyncio.sleep(1)
            assert said_to(node, "here") == [Code.FORBIDDEN]

    run_virtually(story())


def test_an_answer_that_was_overtaken_by_a_newer_one_changes_nothing() -> None:
    async def story() -> None:
        node, sharing = house()
        async with node:
            await node.join("a")
            first = sharing.answering = asyncio.Event()
            done = await sharing.set_link(DOCUMENT, Link(Role.VIEWER))
            assert done is not None
            node.rooms.tell(done)
            await asyncio.sleep(0.1)
            sharing.answering = None
            done = await sharing.set_link(DOCUMENT, Link(Role.EDITOR))
            assert done is not None
            await sharing.grant(DOCUMENT, ANNA_IS, Role.OWNER)
            node.rooms.notify(DOCUMENT, AccessHint(done.access_version + 1))
            await asyncio.sleep(0.1)
            first.set()
            await asyncio.sleep(0.1)
            assert said_to(node, "a") == []

    run_virtually(story())


def test_while_the_store_is_away_nobody_new_is_let_in_and_a_change_waits_for_it() -> None:
    async def story() -> None:
        node, sharing = house()
        async with node:
            await node.join("a")
            done = await restrict(sharing)
            sharing.away = True
            node.rooms.tell(done)
            with pytest.raises(Unavailable):
                await node.join("b")
            await asyncio.sleep(20)
            assert said_to(node, "a") == []
            sharing.away = False
            await asyncio.sleep(10)
            assert said_to(node, "a") == [Code.FORBIDDEN]

    run_virtually(story())


def test_while_the_store_is_away_everybody_comes_back_as_they_were_and_by_an_open_address_newcomers_too() -> None:
    """A balancer that moves people from node to node when the database fails must not shut them out of what is open."""

    async def story() -> None:
        node, sharing = house()
        async with node:
            await sharing.grant(DOCUMENT, "owner", Role.OWNER)
            await sharing.grant(DOCUMENT, "bert", Role.OWNER)
            assert await comes(node, "b", "bert") is Role.OWNER
            sharing.away = True
            node.disconnect("b")
            assert await comes(node, "b again", "bert") is Role.OWNER
            assert await comes(node, "c", "carla") is Role.EDITOR

    run_virtually(story())


def test_while_the_store_is_away_newcomers_are_not_let_in_as_less_than_they_may_be() -> None:
    """Somebody with a grant who was taken for a viewer would have their edits refused for good."""

    async def story() -> None:
        node, sharing = house()
        async with node:
            await sharing.grant(DOCUMENT, "owner", Role.OWNER)
            await sharing.set_link(DOCUMENT, Link(Role.VIEWER))
            assert await comes(node, "b", "bert") is Role.VIEWER
            sharing.away = True
            with pytest.raises(Unavailable):
                await comes(node, "c", "carla")
            assert await comes(node, "b again", "bert") is Role.VIEWER

    run_virtually(story())


def test_while_the_store_is_away_nobody_comes_back_to_what_was_taken_from_them() -> None:
    async def story() -> None:
        node, sharing = house()
        async with node:
            await sharing.grant(DOCUMENT, "owner", Role.OWNER)
            assert await comes(node, "b", "bert") is Role.EDITOR
            assert await comes(node, "o", "owner") is Role.OWNER
            node.rooms.tell(await restrict(sharing))
            await asyncio.sleep(0.1)
            sharing.away = True
            with pytest.raises(Unavailable):
                await comes(node, "b again", "bert")
            assert await comes(node, "o again", "owner") is Role.OWNER

    run_virtually(story())


def test_who_joins_anew_meanwhile_is_judged_by_what_they_showed_then() -> None:
    async def story() -> None:
        node, sharing = house()
        async with node:
            await node.join("a")
            done = await sharing.set_link(DOCUMENT, Link(Role.COMMENTER, hash_token("the token"), 1))
            assert done is not None
            judging = sharing.answering = asyncio.Event()
            node.rooms.tell(done)
            await asyncio.sleep(0.1)
            sharing.answering = None
            stranger = Identity(User("u2", "Bert", "#336699"), "guest", lasting=False)
            request = JoinRequest(b"\0", ClientId(1))
            await node.enter("a", DOCUMENT, request, stranger, "the token")
            judging.set()
            await asyncio.sleep(0.1)
            assert said_to(node, "a") == []

    run_virtually(story())


def test_a_new_name_or_a_fresh_token_meanwhile_keeps_nobody_in_who_has_lost_access() -> None:
    """What they showed is the same as before, so the judgement on it holds."""

    async def story() -> None:
        node, sharing = house()
        async with node:
            await sharing.grant(DOCUMENT, "owner", Role.OWNER)
            await node.join("a")
            done = await restrict(sharing)
            judging = sharing.answering = asyncio.Event()
            node.rooms.tell(done)
            await asyncio.sleep(0.1)
            sharing.answering = None
            node.visitor("a").seats[DOCUMENT].renew(replace(ANNA, user=User("u1", "Anne", "#336699")))
            judging.set()
            await asyncio.sleep(1)
            assert said_to(node, "a") == [Code.FORBIDDEN]

    run_virtually(story())


@pytest.mark.parametrize("email", [None, "bert@example.com"])
def test_nobody_counts_as_judged_who_shows_something_else_meanwhile(email: str | None) -> None:
    """Otherwise the store would take their edits as those of somebody who was judged."""

    async def story() -> None:
        node, sharing = house()
        async with node:
            user = User("u2", "Bert", "#336699")
            first = Identity(user, "jwt", document_roles={DOCUMENT: Role.EDITOR})
            await node.enter("a", DOCUMENT, JoinRequest(b"\0", ClientId(1)), first)
            done = await restrict(sharing)
            judging = sharing.answering = asyncio.Event()
            node.rooms.tell(done)
            await asyncio.sleep(0.1)
            again = sharing.answering = asyncio.Event()
            node.visitor("a").seats[DOCUMENT].renew(Identity(user, "jwt", email))
            judging.set()
            await asyncio.sleep(0.1)
            if email is not None:  # which may have been granted something, and was not asked about
                assert (said_to(node, "a"), node.driver.judged_version) == ([], 0)
            again.set()
            await asyncio.sleep(0.1)
            assert said_to(node, "a") == [Code.FORBIDDEN]
            assert node.rooms.registry.get(DOCUMENT) is None or node.driver.judged_version == 1

    run_virtually(story())


def test_a_hint_that_says_what_is_known_asks_nobody() -> None:
    async def story() -> None:
        node, sharing = house()
        async with node:
            await node.join("a")
            done = await sharing.set_link(DOCUMENT, Link(Role.VIEWER))
            assert done is not None
            node.rooms.tell(done)
            await asyncio.sleep(0.1)
            sharing.away = True
            room = node.driver
            for known in range(done.access_version + 1):
                room.access_changed(known)
            assert room.access_version == done.access_version
            await asyncio.sleep(1)
            assert said_to(node, "a") == [Role.VIEWER]

    run_virtually(story())


def test_a_fresh_token_that_says_less_acts_at_once() -> None:
    async def story() -> None:
        node, sharing = house()
        async with node:
            await restrict(sharing)
            user = User("u2", "Bert", "#336699")
            said: tuple[dict[str, Role], ...] = {DOCUMENT: Role.COMMENTER}, {"*": Role.VIEWER}, {}
            first, *fresh = (Identity(user, "jwt", document_roles=roles) for roles in said)
            request = JoinRequest(b"\0", ClientId(1))
            await node.enter("a", DOCUMENT, request, first)
            for identity in (first, *fresh):
                for seat in list(node.visitor("a").seats.values()):
                    seat.renew(identity)
                await asyncio.sleep(0.1)
            assert said_to(node, "a") == [Role.VIEWER, Code.FORBIDDEN]

    run_virtually(story())


def test_a_store_that_is_away_is_asked_by_one_judgement_however_often_access_changes() -> None:
    async def story() -> None:
        node, sharing = house()
        async with node:
            await restrict(sharing)
            user = User("u2", "Bert", "#336699")
            roles = Role.EDITOR, Role.COMMENTER
            said = [Identity(user, "jwt", document_roles={DOCUMENT: role}) for role in roles]
            await node.enter("a", DOCUMENT, JoinRequest(b"\0", ClientId(1)), said[0])
            sharing.away = True
            before = len(asyncio.all_tasks())
            for number in range(101):
                node.visitor("a").seats[DOCUMENT].renew(said[number % 2])
                await asyncio.sleep(0.01)
            node.visitor("a").seats[DOCUMENT].renew(said[1])
            assert len(asyncio.all_tasks()) <= before + 1
            sharing.away = False
            await asyncio.sleep(20)
            assert said_to(node, "a") == [Role.COMMENTER]

    run_virtually(story())
