"""Judges in a worker: which documents they keep, and what happens when they have forgotten one."""

from random import Random

import pytest
from pycrdt import XmlElement, XmlText

from crdt.suggestions.judge import Candidate, Entry
from crdt.yjs.limits import GateLimits
from crdt.yjs.reader import inspect
from server.sandbox import Sandbox, judging
from server.sandbox.judging import Brief, Judges, judge_row
from tests.harness.suggester import ATTACKS, Writer, suggests_words


def a_state() -> tuple[bytes, Writer]:
    doc = Writer("ann", 7, Random(1))
    doc.root.children.append(XmlElement("paragraph", {}, [XmlText("Hello brave new world")]))
    writer = Writer("u", 8, Random(2))
    writer.hears(doc.doc.get_update())
    return doc.doc.get_update(), writer


def candidates(updates: list[bytes]) -> tuple[Candidate, ...]:
    return tuple([Candidate(each.raw, each.engine) for each in (inspect(update, GateLimits()) for update in updates)])


def brief(key: str, before: int, state: bytes | None, updates: list[bytes], *, took_last: bool = False) -> Brief:
    return Brief(key, before, state, (), took_last, candidates(updates), "u", "manyhands")


def test_a_judge_that_is_not_there_or_has_missed_something_says_so() -> None:
    judges, (state, writer) = Judges(), a_state()
    suggested = writer.does(suggests_words)
    assert not judges.judge(brief("one", 0, None, suggested)).is_known
    assert judges.judge(brief("one", 0, state, suggested)).refusal is None
    more = writer.does(suggests_words)
    assert judges.judge(brief("one", 1, None, more, took_last=True)).refusal is None
    assert not judges.judge(brief("one", 1, None, more)).is_known
    assert not judges.judge(brief("one", 2, None, more)).is_known, "it was given up with the mistake"


def test_a_refused_batch_leaves_nothing_in_the_judge() -> None:
    judges, (state, writer) = Judges(), a_state()
    evil = writer.does(ATTACKS["plain words"])
    for number in range(3):
        judged = judges.judge(brief("one", number, state if number == 0 else None, evil))
        assert judged.refusal is not None
        assert judged.refusal[0] == "not_a_suggestion"


def test_a_worker_keeps_few_documents(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judging, "MOST_KEPT", 2)
    judges, (state, writer) = Judges(), a_state()
    suggested = writer.does(suggests_words)
    for key in ("one", "two", "three"):
        assert judges.judge(brief(key, 0, state, suggested)).is_known
    assert [judges.judge(brief(key, 1, None, suggested)).is_known for key in ("one", "two", "three")] == [
        False,
        True,
        True,
    ]


def test_a_row_is_judged_entry_by_entry_in_its_place() -> None:
    state, writer = a_state()
    editor = Writer("ann", 9, Random(3))
    editor.hears(state)
    typed = editor.does(lambda each: each.root.children.append(XmlElement("paragraph", {}, [XmlText("more")])))
    honest, evil = writer.does(suggests_words), writer.does(ATTACKS["plain words"])
    entries = [
        Entry(None, candidates(typed)),
        Entry("u", candidates(honest)),
        Entry("u", candidates(evil)),
    ]
    assert [each.refusal is None for each in judge_row(state, entries, None)] == [True, True, False]


@pytest.mark.slow
async def test_a_new_process_is_given_the_whole_document() -> None:
    state, writer = a_state()
    suggested, more = writer.does(suggests_words), writer.does(suggests_words)
    async with Sandbox() as sandbox:
        first = await sandbox.judge(lambda: brief("one", 0, state, suggested), "document", "u")
        second = await sandbox.judge(lambda: brief("one", 1, None, more, took_last=True), "document", "u")
        assert (first.is_known, first.refusal, second.is_known, second.refusal) == (True, None, True, None)
        for worker in sandbox._workers:
            worker._kill()
        assert not (await sandbox.judge(lambda: brief("one", 2, None, more), "document", "u")).is_known
