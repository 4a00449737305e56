"""Mutated frames against a live server, while two people work in the document that they are aimed at."""

import random

import pytest

from tests.harness.bad_frames import BAD_FRAMES
from tests.harness.live_server import LiveServer, serving, until
from tests.harness.person import person
from tests.harness.raw_socket import raw_socket

pytestmark = pytest.mark.usefixtures("both_ways")


def _mutated(chance: random.Random, frame: str | bytes) -> str | bytes:
    """The frame itself, or with a cut, a changed place or a repetition."""
    at = chance.randrange(len(frame) + 1)
    odd = chance.choice(["", "x", "0", "[", '"', "\x00", "☂"])
    match chance.randrange(5), frame:
        case 0, _:
            return frame[:at]
        case 1, str():
            return frame[:at] + odd + frame[at + 1 :]
        case 1, bytes():
            return frame[:at] + odd.encode() + frame[at + 1 :]
        case 2, str():
            return frame + frame
    return frame


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
async def test_whatever_strangers_send_the_others_go_on(seed: int) -> None:
    chance = random.Random(seed)
    async with serving() as server:
        await _story(server, chance)


async def _story(server: LiveServer, chance: random.Random) -> None:
    document_id = await server.new_document()
    pieces: list[str | bytes] = [frame for frames in BAD_FRAMES.values() for frame in frames if len(frame) < 1000]
    pieces += [
        "40",
        "41",
        "3",
        "1",
        f'42["leave","{document_id}"]',
        f'421["presence","{document_id}",{{"state":{{}}}}]',
    ]
    pieces += [
        f'451-2["join","{document_id}",{{"state_vector":{{"_placeholder":true,"num":0}},"client_id":1}}]',
        b"\x00",
    ]
    async with person(server, name="Alice") as alice, person(server, name="Bob") as bob:
        await alice.join(document_id)
        await bob.join(document_id)
        for n in range(40):
            async with raw_socket(server.port) as stranger:
                if chance.random() < 0.8:
                    await stranger.connected()
                for _ in range(chance.randrange(1, 8)):
                    await stranger.send(_mutated(chance, chance.choice(pieces)))
                assert await alice.ask("update", document_id, alice.types(f"{n} ")) == {"seq": n + 1}
        while str(bob.text) != str(alice.text):
            await bob.hears("update")
    await until(lambda: server.gateway.connections == server.gateway.handshakes == 0)
    assert "internal" not in server.gateway.protocol_errors
