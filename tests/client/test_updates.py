"""Updates as bytes: they are read as Yjs means them, and copied with other client ids."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pycrdt import Doc, Text, get_state

from manyhands.updates import contradict, decode_vector, encode_vector, renamed, spans_of
from manyhands.wire import WireError
from tests.harness.yjs_oracle import YjsOracle

MOVED = 10**6


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(6))
def test_updates_of_yjs_are_copied_and_have_the_same_content_under_other_ids(seed: int) -> None:
    with YjsOracle() as yjs:
        log, view = yjs.session(seed, 40)
        ids = {client for update in log for client in decode_vector(get_state(update))}
        there = {client: client + MOVED for client in ids}
        back = {after: before for before, after in there.items()}
        others = [renamed(update, there) for update in log]
        assert [renamed(update, {-1: 1}) for update in log] == log
        assert [renamed(update, back) for update in others] == log
        assert {client for update in others for client in spans_of(update)}.isdisjoint(ids)
        assert {**yjs.view(others), "clocks": None} == {**view, "clocks": None}
        ends = [
            (client, span.clock + span.length)
            for update in log
            for client, spans in spans_of(update).items()
            for span in spans
        ]
        assert dict(sorted(ends)) == dict(view["clocks"])


def test_state_vectors_are_read_and_written() -> None:
    vector = {2**53 - 1: 300, 7: 1}
    assert decode_vector(encode_vector(vector)) == vector
    doc: Doc[Text] = Doc(client_id=7)
    doc.get("text", type=Text).insert(0, "hello")
    assert decode_vector(doc.get_state()) == {7: 5}


def test_the_same_words_agree_however_they_are_cut_and_other_words_do_not() -> None:
    doc: Doc[Text] = Doc(client_id=7)
    text = doc.get("text", type=Text)
    changes = list[bytes]()
    doc.observe(lambda event: changes.append(event.update))
    for at, letters in enumerate(("ab", "😀", "c")):
        text.insert((0, 2, 6)[at], letters)
    ours = [span for change in changes for span in spans_of(change)[7]]
    assert not contradict(7, ours, spans_of(doc.get_update())[7])
    assert not contradict(7, ours, spans_of(doc.get_update(encode_vector({7: 1})))[7])
    del text[1:2]
    assert not contradict(7, ours, spans_of(doc.get_update())[7])
    for words in ("aX😀c", "Xb"):
        other: Doc[Text] = Doc(client_id=7)
        other.get("text", type=Text).insert(0, words)
        assert contradict(7, ours, spans_of(other.get_update())[7])
    elsewhere: Doc[Text] = Doc(client_id=7)
    elsewhere.get("text", type=Text).insert(0, "b")
    elsewhere.get("text", type=Text).insert(0, "ab")
    assert contradict(7, ours[1:], spans_of(elsewhere.get_update())[7])


@given(st.binary(max_size=40))
def test_any_bytes_are_an_update_or_refused(data: bytes) -> None:
    for read in (spans_of, decode_vector):
        with contextlib.suppress(WireError):
            read(data)
    with contextlib.suppress(WireError):
        renamed(data, {0: 1})
