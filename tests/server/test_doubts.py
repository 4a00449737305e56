"""What is unusual is tried in the sandbox before it is taken, and what had to be set aside is stored and told of once."""

import asyncio
from typing import Any, cast

from pycrdt import Array, Doc

from crdt.errors import Code
from crdt.protocol.messages import Acknowledged, Refused, ResyncMessage, UpdateMessage
from crdt.protocol.row import Stored
from crdt.yjs.limits import GateLimits
from server.sandbox import SandboxRejected, Trial
from tests.harness.engine import Choosy
from tests.harness.house import DOCUMENT, House
from tests.harness.in_process_sandbox import InProcessSandbox
from tests.harness.live_server import until
from tests.harness.update_writer import item, number, text, update
from tests.simulation.virtual_loop import at_once, run_virtually

BINARY = 3


def unusual(client_id: int = 9, content: bytes = b"bytes") -> bytes:
    """Something that no editor makes."""
    return update({client_id: (0, [item(BINARY, number(len(content)) + content, parent="files")])})


def usual(word: str, client_id: int = 7) -> bytes:
    """Something that is no plain text, and that editors make all day."""
    doc: Doc[Any] = Doc(client_id=client_id)
    doc.get("list", type=Array).append(word)
    return doc.get_update()


class Deadly(InProcessSandbox):
    """A worker that dies of some words. `trials`: how often it was asked."""

    def __init__(self, *words: bytes) -> None:
        super().__init__()
        self.words = words
        self.trials = 0

    async def trial(self, stored: Stored, limits: GateLimits, person: str = "") -> Trial:
        self.trials += 1
        for row in stored.rows:
            if not row.set_aside and any(word in row.batch for word in self.words):
                raise SandboxRejected("It is damaged, or nested too deeply to work with.", died=True)
        return await super().trial(stored, limits)


def code(house: House, request: object) -> Code:
    return cast(Refused, house.ears.answers[request]).code


def test_what_a_worker_dies_of_is_refused_before_it_is_taken() -> None:
    async def story() -> None:
        async with House(sandbox=Deadly(b"poison")) as house:
            await house.join("mallory")
            await house.join("bob")
            bad = unusual(content=b"poison")
            trying = house.send("mallory", bad)
            house.write("bob", "hello")
            await trying
            await asyncio.sleep(1)
            assert code(house, bad) is Code.BAD_UPDATE
            assert isinstance(house.ears.answers["hello"], Acknowledged)
            assert await house.join("late") == "hello"
            assert not any(isinstance(message, ResyncMessage) for message in house.ears.said["mallory"])

    run_virtually(story())


def test_the_unusual_that_is_sound_is_taken_after_what_its_author_sent_before() -> None:
    async def story() -> None:
        sandbox = Deadly()
        async with House(sandbox=sandbox) as house:
            await house.join("anna")
            await house.join("bob")
            good = unusual()
            house.write("anna", "first")
            await house.send("anna", good)
            await asyncio.sleep(1)
            assert isinstance(house.ears.answers[good], Acknowledged)
            assert sandbox.trials == 1
            told = b"".join(m.batch for m in house.ears.said["bob"] if isinstance(m, UpdateMessage))
            assert told.index(b"first") < told.index(b"bytes")

    run_virtually(story())


def test_a_document_that_is_broken_already_blames_nobody_new() -> None:
    async def story() -> None:
        sandbox = Deadly()
        async with House(sandbox=sandbox) as house:
            await house.join("anna")
            house.write("anna", "old trouble")
            await asyncio.sleep(1)
            sandbox.words = (b"old trouble",)
            good = unusual()
            await house.send("anna", good)
            await asyncio.sleep(1)
            assert isinstance(house.ears.answers[good], Acknowledged)

    run_virtually(story())


def test_after_something_was_set_aside_all_but_plain_text_is_tried_for_a_while() -> None:
    async def story() -> None:
        sandbox = Deadly(b"venom")
        async with House(sandbox=sandbox, engine=Choosy("poison")) as house:
            for name in ("mallory", "anna"):
                await house.join(name)
            await house.send("mallory", usual("poison", 9))
            await asyncio.sleep(1)
            for name in ("mallory", "anna"):
                await house.join(name)
            loads = house.loads
            for count in range(20):
                await house.send("mallory", usual("venom", 100 + count))
            await house.send("anna", usual("honest"))
            house.write("anna", "plain")
            await asyncio.sleep(1)
            assert {code(house, usual("venom", 100 + count)) for count in range(20)} == {Code.BAD_UPDATE}
            assert isinstance(house.ears.answers[usual("honest")], Acknowledged)
            resyncs = [message for message in house.ears.said["anna"] if isinstance(message, ResyncMessage)]
            assert len(resyncs) == 1, "a forger makes a room load again once"
            assert sandbox.trials == 20 + 20 + 1, "each bad one is tried with and without"
            assert house.loads == loads + 21
            await asyncio.sleep(700)
            await house.send("anna", usual("later", 8))
            await asyncio.sleep(1)
            assert house.loads == loads + 21

    run_virtually(story())


def test_what_is_set_aside_is_stored_even_if_the_store_is_away_just_then() -> None:
    async def story() -> None:
        async with House(engine=Choosy("poison")) as house:
            await house.join("anna")
            bad = usual("poison")
            await house.send("anna", bad)
            house.write("anna", "kept", client_id=6)
            await until(lambda: at_once(house.store.log.heads([DOCUMENT]))[DOCUMENT].seq > 0)
            house.weather.down = True
            await asyncio.sleep(30)
            assert await house.store.set_aside.list() == []
            house.weather.down = False
            await asyncio.sleep(30)
            (kept,) = await house.store.set_aside.list()
            assert (kept.found.seq, kept.found.raw) == (1, bad)
            assert code(house, bad) is Code.BAD_UPDATE
            assert isinstance(house.ears.answers["kept"], Acknowledged)
            assert await house.join("late") == "kept"
            assert await house.stored_text() == "kept"

    run_virtually(story())


def test_a_document_whose_worker_dies_is_mended_at_its_first_opening_after_the_crash() -> None:
    async def story() -> None:
        async with House() as house:
            await house.join("anna")
            for count, word in enumerate(("one", "two", "poison", "four", "five")):
                house.write("anna", word, client_id=10 + count)
                await asyncio.sleep(1)
            house.disconnect("anna")
            house.faulty.faulty_log.dead = True
        sandbox = Deadly(b"poison")
        async with House(house.store, sandbox) as again:
            shown = await again.join("late")
            assert "poison" not in shown
            assert all(word in shown for word in ("one", "two", "four", "five"))
            assert sandbox.trials < 12
            (kept,) = await again.store.set_aside.list()
            assert (kept.found.seq, kept.found.set_aside.position) == (3, 0)
            again.write("late", "goes on", client_id=20)
            await asyncio.sleep(1)
            assert isinstance(again.ears.answers["goes on"], Acknowledged)

    run_virtually(story())


def test_a_stranger_to_the_engine_is_no_stranger_to_the_gate() -> None:
    """What the gate refuses is refused as before, without a trial."""

    async def story() -> None:
        sandbox = Deadly()
        async with House(sandbox=sandbox) as house:
            await house.join("anna")
            gap = update({9: (5, [text("x", parent="story")])})
            await house.send("anna", gap)
            assert code(house, gap) is Code.MISSING_PAST
            assert sandbox.trials == 0

    run_virtually(story())
