"""Judging of people: who may come into a document, and who may stay as access changes.

When a document's access list has a new version, everybody in it is judged again by one reading of
the store. Sessions get their new roles, and people without a role are shown out. People who have
left something behind that is not durable yet are judged as well.

While the store is away nobody's access can change. An open document then lets people in by their
last ruling, unless a newer version of its access list has been heard of since.
"""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import cast

from crdt.errors import ManyhandsError, Unavailable
from crdt.ids import DocumentId
from server.auth.base import Identity
from server.background import pauses
from server.observe import log
from server.people.access import Access, Ruling
from server.rooms.driver import Driver
from server.rooms.reader import FIRST_PAUSE, LAST_PAUSE
from server.rooms.seat import Card, Seat
from server.store.sharing_base import Standing

PATIENCE = 1.5
"""Seconds that the store may take to say who may come into an open document.

Past it, memory answers if it can.
"""

REMEMBERED = 1000
"""People per open document who are let in again while the store is away.

Past it, the person who came first is forgotten.
"""


class Judging:
    """Rules on people by what they showed on joining."""

    def __init__(self, access: Access) -> None:
        self._access = access

    async def ruling(self, driver: Driver | None, document_id: DocumentId, card: Card) -> Ruling:
        """Return what somebody may do.

        Raises ProtocolError(not_found), and Unavailable if neither the store nor memory can tell.
        """
        try:
            async with asyncio.timeout(None if driver is None else PATIENCE):
                return await self._access.ruling(card.identity, document_id, card.link)
        except (Unavailable, TimeoutError) as error:
            known = None if driver is None else _recall(driver, card)
            if driver is None or known is None or known.version < driver.access_version:
                raise error if isinstance(error, Unavailable) else Unavailable("The store does not answer.") from error
            return known

    async def judge(self, driver: Driver) -> None:
        """Give everybody in a room the role that the store has for them now.

        Return when that is done, however long the store is away.
        """
        document_id, wait = driver.document_id, pauses(FIRST_PAUSE, LAST_PAUSE)
        while not driver.over and (cards := {seat: seat.card for seat in _everybody(driver)}):
            try:
                identities = [card.identity for card in cards.values()]
                standing = (await self._access.standings([document_id], identities)).get(document_id)
            except ManyhandsError as error:
                log.warning("access_unread", document=document_id, reason=str(error))
                await asyncio.sleep(next(wait))
                continue
            heard = driver.access_version
            if standing is None:
                return
            if standing.version < heard:  # read before the change that has been heard of meanwhile
                await asyncio.sleep(next(wait))
                continue
            driver.access_version = standing.version
            everybody = self._carry_out(driver, standing, cards)
            if standing.version == heard and everybody:
                driver.judged_version = heard
                return
            # Nobody had heard of this version yet. A person who joined while it was read may have
            # been judged by the version before.
        driver.judged_version = driver.access_version  # nobody is left to be judged

    def _carry_out(self, driver: Driver, standing: Standing, cards: dict[Seat, Card]) -> bool:
        """Give everybody their role by what they show now.

        `cards`: what they showed when the store was asked. Return False if the answer says nothing
        of somebody's present name.
        """
        present, everybody = set(_everybody(driver)), True
        for seat, asked in cards.items():
            if seat not in present:
                continue
            card = seat.card
            if not _is_named_alike(card.identity, asked.identity):
                everybody = False
                continue
            ruling = self._access.rule(standing, driver.document_id, card.identity, card.link)
            if ruling is not None:
                remember(driver, card, ruling)
            driver.do(partial(driver.room.judge, seat, None if ruling is None else ruling.role))
        return everybody


def _is_named_alike(identity: Identity, asked: Identity) -> bool:
    """Whether every name by which grants may name a person was asked about."""
    return identity.user.user_id == asked.user.user_id and identity.email in (None, asked.email)


def remember(driver: Driver, card: Card, ruling: Ruling) -> None:
    """Keep the last ruling on somebody, for as long as the document is open."""
    driver.rulings.pop(card.credit, None)
    driver.rulings[card.credit] = ruling
    if len(driver.rulings) > REMEMBERED:
        del driver.rulings[next(iter(driver.rulings))]


def _recall(driver: Driver, card: Card) -> Ruling | None:
    """Return the last ruling on this person.

    A newcomer may do what everybody may, if that is to write, because no grant lets write more.
    """
    known = driver.rulings.get(card.credit)
    if known is None and driver.rulings:
        newest = max(driver.rulings.values(), key=lambda ruling: ruling.version)
        if newest.anybody is not None and newest.anybody.may_write:
            return replace(newest, role=newest.anybody)
    return known


def _everybody(driver: Driver) -> Iterator[Seat]:
    """Yield everybody here, and everybody who has left something that is not durable yet."""
    here = driver.room.members
    yield from (cast(Seat, session) for session in driver.room.owing() if session not in here)
    yield from driver.seats()
