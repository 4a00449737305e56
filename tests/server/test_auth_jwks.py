"""Keys that an issuer publishes over a real port, changes, takes back, and sometimes cannot serve."""

import asyncio
import contextlib

import pytest

from crdt.errors import ProtocolError, Unavailable
from crdt.protocol.requests import Guest
from server.auth.base import Credentials
from server.auth.jwks import FRESH_SECONDS, KEPT_SECONDS, PAUSE_SECONDS, JwksKeys
from server.auth.jwt import JwtAuthenticator
from server.auth.tokens import Rules
from tests.harness.tokens import NOW, KeySet, SigningKey, published, signing_key


class Door:
    """A server's door with a clock that goes when it is told to."""

    def __init__(self, key_set: KeySet) -> None:
        self.seconds = 0.0
        self._url = key_set.url
        keys = JwksKeys(self._address, lambda: self.seconds)
        self._authenticator = JwtAuthenticator(keys, Rules(None, None), lambda: NOW)

    async def _address(self) -> str:
        return self._url

    async def opens_to(self, key: SigningKey, kid: str | None = None) -> bool:
        header = {} if kid is None else {"kid": kid}
        try:
            await self._authenticator.identify(Credentials(None, key.sign(header, sub="ann", exp=NOW + 60), Guest()))
        except ProtocolError:
            return False
        return True


FIRST, SECOND, CURVE = signing_key(), signing_key("RS256", "second"), signing_key("ES256", "curve")


async def test_keys_are_fetched_once_and_serve_every_token() -> None:
    async with published(FIRST, CURVE) as key_set:
        door = Door(key_set)
        assert await asyncio.gather(*(door.opens_to(key) for key in (FIRST, CURVE, FIRST, CURVE))) == [True] * 4
        assert key_set.asked == 1


async def test_a_new_key_is_found_and_one_that_was_taken_back_loses_its_force() -> None:
    async with published(FIRST) as key_set:
        door = Door(key_set)
        assert await door.opens_to(FIRST)
        key_set.keys = [FIRST.jwk, SECOND.jwk]
        door.seconds += PAUSE_SECONDS
        assert await door.opens_to(SECOND)
        key_set.keys = [SECOND.jwk]
        assert await door.opens_to(FIRST)  # nobody has looked yet
        door.seconds += FRESH_SECONDS
        assert not await door.opens_to(FIRST)
        assert await door.opens_to(SECOND)
        assert key_set.asked == 3


async def test_made_up_key_ids_do_not_make_us_ask_without_end() -> None:
    async with published(FIRST) as key_set:
        door = Door(key_set)
        for number in range(20):
            assert not await door.opens_to(SECOND, f"made-up-{number}")
        assert key_set.asked == 1
        door.seconds += PAUSE_SECONDS
        assert not await door.opens_to(SECOND)
        assert key_set.asked == 2


async def test_another_keys_name_does_not_help() -> None:
    async with published(FIRST, CURVE) as key_set:
        door = Door(key_set)
        assert not await door.opens_to(SECOND, "first")
        assert not await door.opens_to(SECOND, "curve")


async def test_while_the_issuer_is_away_known_keys_stay_good_for_a_day() -> None:
    async with published(FIRST) as key_set:
        door = Door(key_set)
        assert await door.opens_to(FIRST)
        key_set.away = True
        door.seconds += FRESH_SECONDS
        assert await door.opens_to(FIRST)
        door.seconds += KEPT_SECONDS
        with pytest.raises(Unavailable):
            await door.opens_to(FIRST)
        key_set.away = False
        door.seconds += PAUSE_SECONDS
        assert await door.opens_to(FIRST)


async def test_without_any_keys_nobody_can_be_recognised_now() -> None:
    async with published() as key_set:
        key_set.away = True
        with pytest.raises(Unavailable):
            await Door(key_set).opens_to(FIRST)


@pytest.mark.parametrize("keys", [None, "x", [None, 7, {}, {"kty": "oct", "k": "x", "kid": "first"}]])
async def test_a_key_set_that_is_none_is_survived(keys: object) -> None:
    async with published() as key_set:
        key_set.keys = keys  # type: ignore[assignment]
        with contextlib.suppress(Unavailable):
            assert not await Door(key_set).opens_to(FIRST)
