"""Another server's updates: what a document lacks of them, whatever it has already."""

from random import Random
from typing import Any

import pytest
from pycrdt import Doc, Text, merge_updates

from crdt.errors import Code, ProtocolError
from crdt.log.foreign import Lacking, lacking
from crdt.yjs.limits import GateLimits
from crdt.yjs.reader import inspect
from tests.harness.yjs_oracle import YjsOracle

LIMITS = GateLimits()
SEEDS = range(25)


def state_of(updates: list[bytes]) -> bytes:
    doc: Doc[Any] = Doc()
    for update in updates:
        doc.apply_update(update)
    return doc.get_update() if updates else b""


def keystrokes(client_id: int, *words: str) -> list[bytes]:
    doc: Doc[Any] = Doc(client_id=client_id)
    said: list[bytes] = []
    doc.observe(lambda event: said.append(event.update))
    story = doc.get("story", type=Text)
    for word in words:
        story.insert(len(story), word)
    return said


@pytest.mark.slow
def test_imports_of_a_growing_store_end_where_the_store_is(yjs: YjsOracle) -> None:
    for seed in SEEDS:
        random = Random(seed)
        log, view = yjs.session(seed, 40)
        cuts = sorted(random.sample(range(1, len(log)), 2))
        have: list[bytes] = []
        for end in (*cuts, len(log), len(log)):
            found = log[:end]
            if random.random() < 0.5:
                random.shuffle(found)
            else:
                found = [state_of(found)]
            missing = lacking(state_of(have), found, LIMITS)
            assert not missing.left_out
            have += [missing.update] if missing.update else []
        assert yjs.view([state_of(have)]) == yjs.view([state_of(log)]), seed
        assert lacking(state_of(have), [state_of(log)], LIMITS) == Lacking(b""), seed
        assert dict(view["clocks"]) == {client: end for client, _, end in inspect(state_of(have), LIMITS).clients}


@pytest.mark.slow
def test_what_people_have_written_here_meanwhile_stays(yjs: YjsOracle) -> None:
    for seed in SEEDS:
        log, _ = yjs.session(seed, 40)
        here = keystrokes(2**40 + seed, "written ", "here")
        have = [*log[: len(log) // 2], *here]
        missing = lacking(state_of(have), log, LIMITS)
        assert yjs.view([state_of([*have, missing.update])]) == yjs.view([state_of([*log, *here])]), seed


def test_only_new_deletions_are_said() -> None:
    doc: Doc[Any] = Doc(client_id=7)
    story = doc.get("story", type=Text)
    story.insert(0, "abcdefghij")
    for at in (8, 4):
        del story[at]
    before = doc.get_update()
    del story[0:3]
    missing = inspect(lacking(before, [doc.get_update()], LIMITS).update, LIMITS)
    assert (missing.clients, missing.deletions) == ([], ((7, ((0, 3),)),))


def test_updates_whose_past_is_lost_are_left_out_until_it_comes() -> None:
    one, two, three = keystrokes(7, "one ", "two ", "three")
    missing = lacking(b"", [three, one], LIMITS)
    assert (missing.update, missing.left_out) == (one, 1)
    assert lacking(state_of([one]), [three, one], LIMITS) == Lacking(b"", 1)
    assert lacking(state_of([one]), [three, two, one], LIMITS).left_out == 0


@pytest.mark.parametrize(
    ("updates", "code"),
    [
        ([b"\x01\x02\x03"], Code.BAD_UPDATE),
        ([b"\0\0", b""], Code.BAD_UPDATE),
        ([b"\x01\x01\x07\x00\x84\x07\x05\x01a\0"], Code.BAD_UPDATE),
    ],
)
def test_bytes_that_the_gate_refuses_are_refused_as_such(updates: list[bytes], code: Code) -> None:
    with pytest.raises(ProtocolError) as refused:
        lacking(b"", updates, LIMITS)
    assert refused.value.code is code


@pytest.mark.slow
def test_a_state_with_gaps_comes_in_as_far_as_yjs_can_show_it_and_the_rest_later(yjs: YjsOracle) -> None:
    """Yjs encodes what waits for a lost update together with all the rest."""
    left_out = 0
    for seed in SEEDS:
        random = Random(seed)
        log, _ = yjs.session(seed, 40)
        lost = random.sample(range(len(log)), 3)
        kept = [update for number, update in enumerate(log) if number not in lost]
        torn = merge_updates(*kept)
        missing = lacking(b"", [torn], LIMITS)
        random.shuffle(kept)
        one_by_one = lacking(b"", kept, LIMITS)
        assert yjs.view([one_by_one.update or b"\0\0"]) == yjs.view([missing.update or b"\0\0"]), seed
        assert bool(one_by_one.left_out) == bool(missing.left_out)
        left_out += missing.left_out
        shown, wanted = yjs.view([missing.update or b"\0\0"]), yjs.view([torn])
        assert (shown["pending"], wanted["pending"]) == (False, bool(missing.left_out)), seed
        assert {**shown, "pending": None} == {**wanted, "pending": None}, seed
        again = lacking(missing.update, [torn], LIMITS)
        assert (again.update, again.left_out) == (b"", missing.left_out), seed
        rest = lacking(missing.update, [torn, state_of(log)], LIMITS)
        assert rest.left_out == 0
        have = [each for each in (missing.update, rest.update) if each]
        assert yjs.view([state_of(have)]) == yjs.view([state_of(log)]), seed
    assert left_out > len(SEEDS) // 2


def test_what_a_document_may_not_grow_to_is_refused() -> None:
    with pytest.raises(ProtocolError) as refused:
        lacking(b"", [b"".join(keystrokes(7, "x" * 200))], GateLimits(update_bytes=100))
    assert refused.value.code is Code.TOO_LARGE
